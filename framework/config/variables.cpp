#include "framework/config/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "framework/base/text.h"
#include "framework/config/copy_value.h"
#include "framework/config/untrusted_path.h"
#include "framework/config/yaml_text.h"

// A text that is nothing but $name (or ${name}) becomes the variable's value with its type; anything longer
// stays a text with the values written into it. A variable is resolved when it is first asked for, so their
// order in the file does not matter; the chain of variables being resolved shows a ring. What a variable is
// replaced by keeps its own place in the file, where a mistake in it is to be mended, and notes where it was
// used.

namespace gramflow {
namespace {

constexpr std::size_t longest_chain = 200;  // of variables that are defined by other variables
constexpr int most_suggestions = 100;       // a file with more unknown variables has a simpler problem

bool starts_name(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}
bool continues_name(char letter) { return starts_name(letter) || (letter >= '0' && letter <= '9'); }

std::size_t name_end(std::string_view text, std::size_t begin) {
  while (begin < text.size() && continues_name(text[begin])) ++begin;
  return begin;
}

bool next_is(std::string_view text, std::size_t at, char letter) {
  return at < text.size() && text[at] == letter;
}

/// HOME, MY_SHOW: what people expect from a shell.
bool is_environment_name(std::string_view name) {
  return name.size() > 1 && std::all_of(name.begin(), name.end(), [](char letter) {
           return (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '_';
         });
}

/// Whether a text is $name or ${...} and nothing else.
bool is_one_variable(std::string_view text) {
  const bool bare = text.size() > 1 && text[0] == '$' && is_variable_name(text.substr(1));
  return bare || (text.starts_with("${") && text.find('}') == text.size() - 1);
}

std::shared_ptr<Value> make_value(decltype(Value::data) data, const Value& like) {
  auto value = std::make_shared<Value>();
  value->data = std::move(data);
  value->span = like.span;
  value->notes = like.notes;
  return value;
}

}  // namespace

Variable* Scope::find(std::string_view name, Scope** owner) {
  for (Scope* scope = this; scope != nullptr; scope = scope->parent) {
    const auto found = scope->variables.find(name);
    if (found == scope->variables.end()) continue;
    if (owner != nullptr) *owner = scope;
    return &found->second;
  }
  return nullptr;
}

std::vector<std::string> Scope::names() const {
  std::vector<std::string> result;
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent)
    for (const auto& [name, variable] : scope->variables) result.push_back(name);
  return result;
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && starts_name(text[0]) && name_end(text, 0) == text.size();
}

std::vector<std::string> mentioned_variables(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    if (at + 1 < text.size() && text[at + 1] == '$') {
      ++at;
      continue;
    }
    const std::size_t begin = at + 1 < text.size() && text[at + 1] == '{' ? at + 2 : at + 1;
    names.emplace_back(text.substr(begin, name_end(text, begin) - begin));
  }
  return names;
}

ValuePtr broken_value(const Span& place) {
  auto value = std::make_shared<Value>();
  value->span = place;
  value->broken = true;
  return value;
}

std::string escape_dollars(std::string_view text) {
  std::string result;
  for (const char letter : text) result += letter == '$' ? "$$" : std::string(1, letter);
  return result;
}

ValuePtr Substitution::apply(const ValuePtr& value, Scope& scope, int depth) {
  if (value->typed != nullptr && value->typed->text.find('$') != std::string::npos)
    return apply_to_typed(value, scope, depth);
  return apply_to_data(value, scope, depth);
}

ValuePtr Substitution::apply_to_data(const ValuePtr& value, Scope& scope, int depth) {
  if (value->scalar() != nullptr) return apply_to_text(value, scope, depth);
  if (const Value::List* items = value->list()) {
    Value::List replaced;
    replaced.reserve(items->size());
    bool changed = false;
    for (const ValuePtr& item : *items) {
      replaced.push_back(apply(item, scope, depth + 1));
      changed = changed || replaced.back() != item;
    }
    return changed ? make_value(std::move(replaced), *value) : value;
  }
  if (const Value::Map* entries = value->map()) {
    Value::Map replaced;
    replaced.reserve(entries->size());
    bool changed = false;
    for (const Entry& entry : *entries) {
      replaced.push_back({entry.key, entry.key_span, apply(entry.value, scope, depth + 1)});
      changed = changed || replaced.back().value != entry.value;
    }
    return changed ? make_value(std::move(replaced), *value) : value;
  }
  return value;
}

// Both readings of a typed value are replaced, each on its own: a mistake in one is nothing to who reads the
// other. A text that is one variable and nothing else is that variable, in either reading.
ValuePtr Substitution::apply_to_typed(const ValuePtr& value, Scope& scope, int depth) {
  const TypedText& typed = *value->typed;
  const Value::Scalar* scalar = value->scalar();
  if (is_one_variable(typed.text)) return apply_to_text(value, scope, depth);
  const bool same = scalar != nullptr && scalar->text == typed.text;
  const ValuePtr data = apply_to_data(value, scope, depth);
  if (data->broken && same) return data;
  auto changed = std::make_shared<TypedText>(typed);
  Pieces pieces;
  Diagnostics problems;
  Diagnostics* const before = std::exchange(diagnostics_, &problems);
  replace_in_text(typed.text, value, scope, pieces);
  diagnostics_ = before;
  changed->text = std::move(pieces.text);
  changed->text_problems = problems.all();
  changed->sources.insert(changed->sources.end(), pieces.sources.begin(), pieces.sources.end());
  auto result = std::make_shared<Value>(*data);
  result->typed = std::move(changed);
  if (pieces.origin != nullptr) result->origin = std::move(pieces.origin);
  return result;
}

ValuePtr Substitution::apply_to_text(const ValuePtr& value, Scope& scope, int depth) {
  const std::string_view text = value->scalar()->text;
  if (text.find('$') == std::string_view::npos) return value;

  // The whole value is one variable: it keeps its type.
  if (is_one_variable(text)) {
    const bool bare = text[1] != '{';
    const std::string_view expression = bare ? text.substr(1) : text.substr(2, text.size() - 3);
    const ValuePtr found = bare ? look_up(expression, value, scope) : evaluate(expression, value, scope);
    if (found == nullptr || exhausted_) return broken_value(value->span);
    if (found->span.file == value->span.file && found->span.begin == value->span.begin)
      return found;  // from the environment
    try {
      return copy_with_note(found, {fmt::format("used here as {}", one_line(text)), value->span}, copies_,
                            depth);
    } catch (const TooManyValues&) {
      exhausted_ = true;
      diagnostics_->error("too-many-values", value->span,
                          fmt::format("variables blow this file up by more than {} values", most_copies));
    } catch (const TooDeep&) {
      diagnostics_->error(
          "too-deep", value->span,
          fmt::format("with this variable put in, lists and maps are nested more than {} deep",
                      deepest_nesting));
    }
    return broken_value(value->span);
  }

  Pieces pieces;
  if (!replace_in_text(text, value, scope, pieces)) return broken_value(value->span);
  const bool only_dollars = pieces.notes.empty();  // $$ changes no type
  const auto replaced =
      make_value(Value::Scalar{std::move(pieces.text), value->scalar()->quoted || !only_dollars}, *value);
  replaced->origin = pieces.origin != nullptr ? std::move(pieces.origin) : value->origin;
  if (!pieces.sources.empty()) {
    auto typed = std::make_shared<TypedText>();
    typed->text = replaced->scalar()->text;
    typed->sources = std::move(pieces.sources);
    replaced->typed = std::move(typed);
  }
  for (Note& note : pieces.notes)
    if (note.span.known() && note.span.begin != value->span.begin) replaced->notes.push_back(std::move(note));
  return replaced;
}

bool Substitution::replace_in_text(std::string_view text, const ValuePtr& value, Scope& scope,
                                   Pieces& pieces) {
  std::string& result = pieces.text;
  bool failed = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char next = at + 1 < text.size() ? text[at + 1] : ' ';
    if (text[at] != '$') {
      result += text[at];
    } else if (next == '$') {
      result += '$';
      ++at;
    } else if (next == '{') {
      const std::size_t close = text.find('}', at);
      if (close == std::string_view::npos) {
        diagnostics_
            ->error("variable-syntax", value->span, fmt::format("'${{' has no '}}' in {}", quote(text)))
            .suggest("write ${name}, or $$ for a dollar");
        return false;
      }
      const ValuePtr found = evaluate(text.substr(at + 2, close - at - 2), value, scope);
      if (!add_piece(pieces, text.substr(at, close + 1 - at), found, *value)) failed = true;
      at = close;
      constexpr std::size_t longest_text = 1u << 20;
      if (result.size() > longest_text) {
        diagnostics_->error("too-many-values", value->span,
                            "with its variables put in, this text is longer than a million letters");
        return false;
      }
    } else if (starts_name(next)) {
      const std::size_t end = name_end(text, at + 1);
      const std::string_view name = text.substr(at + 1, end - at - 1);
      diagnostics_
          ->error("variable-syntax", value->span,
                  fmt::format("${} stands inside of a text, where variables are written ${{{}}}",
                              one_line(name), one_line(name)))
          .suggest(name == "env" && next_is(text, end, ':') ? "write ${env:NAME}"
                   : is_environment_name(name)
                       ? fmt::format("write ${{env:{}}} for the environment variable", name)
                       : fmt::format("write ${{{}}}, or $$ for a dollar", one_line(name)));
      at = end - 1;
      failed = true;
    } else {
      result += '$';
    }
  }
  return !failed;
}

bool Substitution::add_piece(Pieces& pieces, std::string_view written, const ValuePtr& found,
                             const Value& place) {
  if (found == nullptr || found->broken) return false;
  const bool typed = found->typed != nullptr && !found->is_unset_text();
  if (found->scalar() == nullptr && !typed) {
    report_in_text(written, *found, place);
    return false;
  }
  const std::string& piece = typed ? found->typed->text : found->scalar()->text;
  if (pieces.text.empty() && !piece.empty() && found->written_in() != place.written_in())
    pieces.origin = found->origin != nullptr ? found->origin : found->span.file;
  pieces.text += piece;
  if (found->written_in() != nullptr && found->written_in()->typed_for())
    pieces.sources.push_back(found->origin != nullptr ? found->origin : found->span.file);
  if (found->typed != nullptr)
    pieces.sources.insert(pieces.sources.end(), found->typed->sources.begin(), found->typed->sources.end());
  constexpr std::size_t most_notes = 4;
  if (pieces.notes.size() < most_notes)
    pieces.notes.push_back({fmt::format("{} is from here", one_line(written)), found->span});
  return true;
}

void Substitution::report_in_text(std::string_view written, const Value& found, const Value& place) {
  diagnostics_
      ->error("variable-in-text", place.span,
              fmt::format("{} is {}; inside of a text only single values can stand", one_line(written),
                          found.describe()))
      .note("it comes from here", found.span)
      .suggest(fmt::format("use it as a whole value: ${}", one_line(written.substr(2, written.size() - 3))));
}

ValuePtr Substitution::evaluate(std::string_view expression, const ValuePtr& place, Scope& scope) {
  if (expression.starts_with("env:")) return environment(expression.substr(4), place);
  if (is_variable_name(expression)) return look_up(expression, place, scope);
  Diagnostic& diagnostic = diagnostics_->error(
      "variable-syntax", place->span,
      fmt::format("${{{}}} is no variable; the name of one was expected", one_line(expression)));
  if (expression.find(":-") != std::string_view::npos) {
    diagnostic.suggest(
        "only the environment has defaults here, ${env:NAME:-default}; give variables theirs in vars:");
  } else {
    diagnostic.suggest("write ${name} or ${env:NAME}; there are no expressions");
  }
  return nullptr;
}

ValuePtr Substitution::environment(std::string_view expression, const ValuePtr& place) {
  const std::size_t split = expression.find(":-");
  const std::string name(expression.substr(0, split));
  if (!is_variable_name(name)) {
    diagnostics_
        ->error("variable-syntax", place->span,
                fmt::format("{} cannot be the name of an environment variable", quote(name)))
        .suggest("write ${env:NAME} or ${env:NAME:-default}");
    return nullptr;
  }
  if (environment_forbidden_ && !was_typed(*place)) {
    diagnostics_
        ->error(
            "untrusted", place->span,
            fmt::format("the pipeline asks for the environment variable {}, which --untrusted does not allow",
                        name))
        .suggest("if you trust it, run it without --untrusted");
    return nullptr;
  }
  const char* found = std::getenv(name.c_str());
  const bool empty = found == nullptr || *found == '\0';
  if (empty && split == std::string_view::npos) {
    diagnostics_
        ->error("unknown-environment", place->span,
                fmt::format("the environment variable {} is not set", name))
        .suggest(fmt::format("set it, or give a default: ${{env:{}:-default}}", name));
    return nullptr;
  }
  const std::string text = empty ? std::string(expression.substr(split + 2)) : std::string(found);
  const bool quoted = place->scalar() != nullptr && place->scalar()->quoted;
  // A default of nothing, unless in quotes, unsets as nothing behind a colon does.
  if (text.empty() && !quoted) return make_value(Value::Null{}, *place);
  const auto value = make_value(Value::Scalar{text, quoted}, *place);
  if (empty) {
    value->origin = place->origin;
    return value;
  }
  value->notes.push_back({fmt::format("the environment variable {} is {}", name, quote(text)), Span{}});
  const SourceFile* const file = place->span.file.get();
  value->origin = SourceFile::typed(fmt::format("${{env:{}}}", name), text,
                                    file == nullptr ? "" : file->typed_for().value_or(file->name()));
  auto typed = std::make_shared<TypedText>();
  typed->text = text;
  value->typed = std::move(typed);
  return value;
}

ValuePtr Substitution::look_up(std::string_view name, const ValuePtr& place, Scope& scope) {
  Scope* owner = nullptr;
  Variable* variable = scope.find(name, &owner);
  if (variable == nullptr) {
    report_unknown(name, *place, scope);
    return nullptr;
  }
  variable->used = true;
  return resolve(std::string(name), *variable, *owner);
}

ValuePtr Substitution::resolve(const std::string& name, Variable& variable, Scope& owner) {
  if (variable.resolved != nullptr) return variable.resolved;
  if (variable.resolving) {
    std::vector<std::string> ring;
    std::vector<Note> notes;
    bool inside = false;
    for (const auto& [other, definition] : resolving_) {
      inside = inside || definition == &variable;
      if (!inside) continue;
      ring.push_back("$" + other);
      if (definition != &variable)
        notes.push_back({fmt::format("{} is defined here", quote(other)), definition->name_span});
    }
    ring.push_back("$" + name);
    std::string text;
    for (const std::string& part : ring) text += (text.empty() ? "" : " -> ") + part;
    Diagnostic& diagnostic = diagnostics_->error("variable-ring", variable.name_span,
                                                 "variables are defined by each other: " + text);
    diagnostic.suggest("give one of them a value of its own");
    diagnostic.notes = std::move(notes);
    return nullptr;
  }
  if (resolving_.size() >= longest_chain) {
    diagnostics_->error("too-deep", variable.name_span,
                        fmt::format("a chain of more than {} variables leads here", longest_chain));
    return nullptr;
  }
  variable.resolving = true;
  resolving_.emplace_back(name, &variable);
  ValuePtr value = apply(variable.value, owner, 0);
  resolving_.pop_back();
  variable.resolving = false;
  variable.resolved = value;
  return value;
}

void Substitution::report_unknown(std::string_view name, const Value& place, const Scope& scope) {
  Diagnostic& diagnostic = diagnostics_->error(
      "unknown-variable", place.span,
      scope.subgraph.empty()
          ? fmt::format("there is no variable '{}'", name)
          : fmt::format("there is no variable '{}', and no parameter of that name in the subgraph {}", name,
                        quote(scope.subgraph)));
  diagnostic.notes = place.notes;
  if (++unknown_ > most_suggestions) return;
  if (std::find(scope.inputs.begin(), scope.inputs.end(), name) != scope.inputs.end()) {
    diagnostic.suggest(fmt::format("'{}' is an input of the subgraph: write it without the $", name));
    return;
  }
  const std::vector<std::string> names = scope.names();
  const std::string near = closest_match(name, names);
  if (!near.empty()) {
    diagnostic.suggest(fmt::format("did you mean ${}?", near));
  } else if (std::find(node_names_.begin(), node_names_.end(), name) != node_names_.end()) {
    diagnostic.suggest(
        fmt::format("add '{}: ...' to vars:, or write it without the $ where the node is meant", name));
  } else if (is_environment_name(name)) {
    diagnostic.suggest(fmt::format("write ${{env:{}}} for the environment variable", name));
  } else {
    diagnostic.suggest(fmt::format("add '{}: ...' to vars:, or write $$ for a dollar", name));
  }
}

}  // namespace gramflow
