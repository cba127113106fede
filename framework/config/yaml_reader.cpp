#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "framework/base/text.h"
#include "framework/config/copy_value.h"
#include "framework/config/yaml_errors.h"
#include "framework/config/yaml_reader.h"
#include "framework/config/yaml_text.h"

// yaml-cpp's events are built into a tree of our own: its Node API forgets duplicate keys and where an alias
// stands. Values under construction form a stack of frames; a finished value goes to the frame below, as a
// key or as a value. An alias is a copy of the anchored value in which every part notes where the alias
// stands, so that no later pass has to remember it. Marks are offsets in YamlText, which turns them into
// lines and columns.

namespace gramflow {
namespace {

/// Thrown out of an event when going on makes no sense; what happened is in the diagnostics.
struct StopParsing {};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(YamlText& text, Diagnostics& diagnostics) : yaml_(text), diagnostics_(diagnostics) {}

  ValuePtr root() const { return root_; }
  const std::vector<std::string>& anchor_names() const { return anchor_names_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_ == nullptr) return;
    const std::size_t at = offset(mark);
    diagnostics_
        .error("yaml-documents", yaml_.span(at, at + 1),
               "a second YAML document starts here; a pipeline file holds one")
        .suggest("remove the line '---' or '...' above, or move this part to a file of its own");
    throw StopParsing();
  }
  void OnDocumentEnd() override {
    if (root_ == nullptr) root_ = make(Value::Null{}, yaml_.span(0, 0));
  }
  void OnAnchor(const YAML::Mark&, const std::string& name) override { anchor_names_.push_back(name); }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(make(Value::Null{}, span_of_null(offset(mark))), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t at = offset(mark);
    const std::string name(yaml_.anchor_name(at));
    const Span place = yaml_.span(at, at + 1 + name.size());
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      diagnostics_
          .error("yaml-alias", place,
                 fmt::format("the value {} contains itself through this alias", quote(name)))
          .suggest("an alias can only repeat a value that is complete before it");
      throw StopParsing();
    }
    try {
      finish(copy_with_note(found->second, {fmt::format("used here through the alias *{}", name), place},
                            copies_, static_cast<int>(stack_.size())),
             0);
    } catch (const TooManyValues&) {
      diagnostics_.error("too-many-values", place,
                         fmt::format("aliases blow this file up by more than {} values", most_copies));
      throw StopParsing();
    } catch (const TooDeep&) {
      too_deep(place);
    }
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const std::size_t begin = yaml_.skip_properties(offset(mark));
    bool closed = true;
    const std::size_t end = yaml_.scalar_end(begin, text, closed);
    const Span span = yaml_.span(begin, end);
    if (!closed) {
      Span quote_sign = span;
      quote_sign.end = {span.begin.line, span.begin.column + 1};
      diagnostics_.error("yaml-unclosed", quote_sign, "this quote is never closed")
          .suggest("add the closing quote");
      throw StopParsing();
    }
    check_tag(tag, offset(mark), begin);
    finish(make(Value::Scalar{text, tag != "?" && !tag.empty()}, span), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, false);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, true);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

 private:
  struct Frame {
    bool is_map = false;
    Span span;
    YAML::anchor_t anchor = 0;
    Value::List items;
    Value::Map entries;
    // Of a map: the key that waits for its value.
    bool has_key = false;
    bool drop_value = false;  ///< its key was no good
    bool is_merge = false;    ///< the key is <<
    ValuePtr merged;  ///< what << brings: reported, and put in all the same so that nothing follows from it
    Entry key;
    std::unordered_map<std::string, Span> keys;
  };

  static std::size_t offset(const YAML::Mark& mark) {
    return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
  }

  ValuePtr make(decltype(Value::data) data, Span span) {
    auto value = std::make_shared<Value>();
    value->data = std::move(data);
    value->span = std::move(span);
    return value;
  }

  [[noreturn]] void too_deep(const Span& place) {
    diagnostics_
        .error("too-deep", place,
               fmt::format("lists and maps are nested more than {} deep here", deepest_nesting))
        .suggest("no pipeline needs that; is this the right file?");
    throw StopParsing();
  }

  void check_tag(const std::string& tag, std::size_t begin, std::size_t end) {
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return;
    const std::string& text = yaml_.text();
    const std::string written =
        text.substr(begin, std::min(text.find_first_of(" \n", begin), text.size()) - begin);
    diagnostics_
        .error("yaml-tag", yaml_.span(begin, std::max(begin + 1, end)),
               fmt::format("the YAML tag {} has no meaning in a pipeline", quote(written)))
        .suggest("remove it; !!str is the only one that is read");
  }

  void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_map) {
    const std::size_t begin = offset(mark);
    check_tag(tag, begin, begin + 1);
    Frame frame;
    frame.is_map = is_map;
    frame.anchor = anchor;
    const std::size_t value_begin = yaml_.skip_properties(begin);
    frame.span = yaml_.span(value_begin, value_begin + 1);
    if (stack_.size() >= static_cast<std::size_t>(deepest_nesting)) too_deep(frame.span);
    stack_.push_back(std::move(frame));
  }

  void end() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    if (frame.is_map) {
      if (const Value::Map* merged = frame.merged != nullptr ? frame.merged->map() : nullptr) {
        for (const Entry& entry : *merged)
          if (!frame.keys.contains(entry.key)) frame.entries.push_back(entry);
      }
      if (!frame.entries.empty()) frame.span.end = frame.entries.back().value->span.end;
      finish(make(std::move(frame.entries), frame.span), frame.anchor);
    } else {
      if (!frame.items.empty()) frame.span.end = frame.items.back()->span.end;
      finish(make(std::move(frame.items), frame.span), frame.anchor);
    }
  }

  /// A value is complete: it becomes the root, an item, a key, or the value of the waiting key.
  void finish(ValuePtr value, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = value;
    if (stack_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = stack_.back();
    if (!frame.is_map) {
      frame.items.push_back(std::move(value));
    } else if (!frame.has_key) {
      take_key(frame, *value);
    } else {
      frame.has_key = false;
      if (std::exchange(frame.is_merge, false)) frame.merged = value;
      frame.key.value = std::move(value);
      if (!frame.drop_value) frame.entries.push_back(std::move(frame.key));
      frame.key = Entry{};
    }
  }

  void take_key(Frame& frame, const Value& value) {
    frame.has_key = true;
    frame.drop_value = true;
    frame.key.key_span = value.span;
    const Value::Scalar* scalar = value.scalar();
    if (scalar == nullptr) {
      Diagnostic& diagnostic =
          diagnostics_.error("yaml-key", value.span,
                             fmt::format("{} was found as a key; keys are plain words", value.describe()));
      diagnostic.suggest(value.map() != nullptr
                             ? "values of variables are written $name, texts with braces in quotes"
                             : "write 'key: value'");
      return;
    }
    frame.key.key = scalar->text;
    if (scalar->text == "<<" && !scalar->quoted) {
      frame.is_merge = true;
      diagnostics_
          .error("yaml-merge-key", value.span, "merge keys (<<) are not read; every node says what it has")
          .suggest("give shared values a name in vars: and write $name, or make a subgraph");
      return;
    }
    const auto [first, fresh] = frame.keys.emplace(scalar->text, value.span);
    if (!fresh) {
      diagnostics_
          .error("duplicate-key", value.span,
                 fmt::format("the key {} is written twice in this map", quote(scalar->text)))
          .suggest("keep one of them")
          .note("first written here", first->second);
      return;
    }
    frame.drop_value = false;
  }

  /// yaml-cpp puts a missing value at the start of what follows; people look for it behind the key.
  Span span_of_null(std::size_t at) {
    const std::string& text = yaml_.text();
    const std::size_t written = yaml_.skip_properties(std::min(at, text.size()));
    for (const std::string_view word : {"~", "null", "Null", "NULL"}) {
      const std::size_t end = written + word.size();
      const bool whole =
          end >= text.size() || std::string_view(" \t\n,]}#").find(text[end]) != std::string_view::npos;
      if (text.compare(written, word.size(), word) == 0 && whole) return yaml_.span(written, end);
    }
    std::size_t behind = std::min(at, text.size());
    while (behind > 0 && (text[behind - 1] == ' ' || text[behind - 1] == '\n' || text[behind - 1] == '\t'))
      --behind;
    Span span = yaml_.span(behind, behind);
    if (!stack_.empty() && stack_.back().has_key && stack_.back().key.key_span.end > Position{}) {
      const Position key_end = stack_.back().key.key_span.end;
      span.begin = {key_end.line, key_end.column + 1};  // behind the colon
      span.end = span.begin;
    }
    return span;
  }

  YamlText& yaml_;
  Diagnostics& diagnostics_;
  ValuePtr root_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, ValuePtr> anchors_;
  std::vector<std::string> anchor_names_;
  std::size_t copies_ = 0;
};

}  // namespace

ValuePtr parse_yaml(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics) {
  return parse_yaml_from(std::move(file), 0, diagnostics);
}

ValuePtr parse_yaml_from(std::shared_ptr<const SourceFile> file, std::size_t first,
                         Diagnostics& diagnostics) {
  YamlText text(std::move(file), first);
  if (!text.check(diagnostics)) return nullptr;
  TreeBuilder builder(text, diagnostics);
  std::istringstream stream(text.text());
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      auto nothing = std::make_shared<Value>();
      nothing->span = text.span(first, first);
      return nothing;
    }
    parser.HandleNextDocument(builder);  // reports that there is a second one
  } catch (const StopParsing&) {
    return nullptr;
  } catch (const YAML::DeepRecursion& error) {
    const auto at = static_cast<std::size_t>(std::max(error.mark.pos, 0));
    diagnostics.error("too-deep", text.span(at, at + 1),
                      fmt::format("lists and maps are nested more than {} deep here", deepest_nesting));
    return nullptr;
  } catch (const YAML::Exception& error) {
    const auto at = static_cast<std::size_t>(std::max(error.mark.pos, 0));
    report_syntax_error(text, at, error.msg, builder.anchor_names(), diagnostics);
    return nullptr;
  }
  return builder.root();
}

}  // namespace gramflow
