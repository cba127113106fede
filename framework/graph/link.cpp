// Linking: every reference finds its node, every wire joins ports of one kind, and nothing waits for itself.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "framework/base/text.h"
#include "framework/graph/cycles.h"
#include "framework/graph/graph.h"
#include "framework/graph/sections.h"

namespace gramflow {
namespace {

/// "id" or "id.output"
struct Reference {
  std::string id;
  std::string output;
};

Reference split(const std::string& text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string::npos) return {text, ""};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

bool looks_like_file(const std::string& text) {
  static constexpr std::string_view endings[] = {".png", ".jpg",  ".jpeg", ".exr",
                                                 ".tif", ".tiff", ".webp", ".bmp"};
  return std::any_of(std::begin(endings), std::end(endings),
                     [&](std::string_view ending) { return text.ends_with(ending); });
}

class Linker {
 public:
  Linker(const Document& document, const NodeTypes& types, Diagnostics& diagnostics)
      : document_(document), types_(types), diagnostics_(diagnostics) {}

  Graph run() {
    graph_.directory = document_.directory;
    for (const NodeEntry& entry : document_.nodes) add(entry);
    for (Node& node : graph_.nodes)
      if (node.type != nullptr) wire(node);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) settle_kinds(static_cast<int>(i));
    const bool complete = !diagnostics_.has_errors();
    if (!report_cycles(graph_, diagnostics_)) {
      infer_sections(graph_, diagnostics_);
      if (complete) warn_about_saving();
    }
    return std::move(graph_);
  }

 private:
  void add(const NodeEntry& entry) {
    Node node;
    node.entry = entry;
    if (!entry.type.empty()) {
      node.type = find_type(types_, entry.type);
      if (node.type == nullptr) {
        std::vector<std::string> names;
        for (const NodeType& type : types_) names.push_back(type.name);
        names.insert(names.end(), document_.subgraphs.begin(), document_.subgraphs.end());
        const std::string hint = did_you_mean(entry.type, names);
        annotate(
            diagnostics_.error("unknown-type", entry.type_span, "there is no node type '" + entry.type + "'"),
            entry)
            .suggest(hint.empty() ? "one of " + join_words(names, "or") : hint);
      }
    }
    if (node.type != nullptr) decode(node);
    graph_.by_id.emplace(node.id(), static_cast<int>(graph_.nodes.size()));
    graph_.nodes.push_back(std::move(node));
  }

  /// A key that nobody knows, while one that is needed is missing: most likely the one is meant to be the
  /// other. Said once, and from then on the right key stands there with a broken value.
  void match_misspelt_keys(Node& node) {
    std::vector<std::string> known, missing;
    const auto expect = [&](const std::string& name, bool required) {
      known.push_back(name);
      if (required && node.value_of(name) == nullptr) missing.push_back(name);
    };
    for (const InputPort& port : node.type->inputs) expect(port.name, port.required);
    for (const Field& field : node.type->parameters.fields()) expect(field.name, field.required);
    std::vector<Entry*> strangers;
    for (Entry& entry : node.entry.entries)
      if (std::find(known.begin(), known.end(), entry.key) == known.end()) strangers.push_back(&entry);
    for (Entry* entry : strangers) {
      std::string meant = closest_match(entry->key, missing);
      const bool near_another = !closest_match(entry->key, known).empty();
      const bool digits = entry->key.find_first_not_of("0123456789") == std::string::npos;
      if (meant.empty() && !near_another && !digits && strangers.size() == 1 && missing.size() == 1)
        meant = missing.front();
      if (meant.empty()) continue;
      annotate(diagnostics_.error("unknown-key", entry->key_span,
                                  node.type->name + " '" + node.id() + "' has no '" + entry->key +
                                      "', and its '" + meant + "' is missing"),
               node.entry)
          .suggest("write '" + meant + "'");
      missing.erase(std::find(missing.begin(), missing.end(), meant));
      entry->key = meant;
      const auto broken = std::make_shared<Value>(*entry->value);
      broken->broken = true;
      entry->value = broken;
    }
  }

  void decode(Node& node) {
    match_misspelt_keys(node);
    std::vector<std::string> ports;
    for (const InputPort& port : node.type->inputs) ports.push_back(port.name);
    std::vector<Entry> parameters;
    for (const Entry& entry : node.entry.entries)
      if (std::find(ports.begin(), ports.end(), entry.key) == ports.end()) parameters.push_back(entry);
    node.parameters = node.type->parameters.decode(parameters, ports, node.entry.id_span,
                                                   node.type->name + " '" + node.id() + "'", diagnostics_);
    node.inputs.resize(node.type->inputs.size());
  }

  static Diagnostic& annotate(Diagnostic& diagnostic, const NodeEntry& entry) {
    for (const Note& note : entry.notes) diagnostic.note(note.message, note.span);
    return diagnostic;
  }

  void wire(Node& node) {
    for (std::size_t i = 0; i < node.type->inputs.size(); ++i) {
      const InputPort& port = node.type->inputs[i];
      const Value* value = node.value_of(port.name);
      if (value != nullptr && (value->broken || report_yaml_problems(*value, diagnostics_))) continue;
      if (value == nullptr || value->is_null()) {
        if (port.required)
          annotate(
              diagnostics_.error("missing-input", value == nullptr ? node.entry.id_span : value->span,
                                 node.type->name + " '" + node.id() + "' has no '" + port.name +
                                     "': it needs a " + std::string(name_of(port.kind)) + ", " + port.doc),
              node.entry)
              .suggest(candidates_text(port.kind, node));
        continue;
      }
      if (const Value::List* list = value->list()) {
        if (!port.list) {
          report(*value, node, "bad-reference",
                 "'" + port.name + "' takes one " + std::string(name_of(port.kind)) + ", not a list");
          continue;
        }
        if (list->empty() && port.required)
          report(*value, node, "missing-input",
                 "'" + port.name + "' is empty; it needs at least one " + std::string(name_of(port.kind)));
        for (const ValuePtr& item : *list)
          if (!item->broken) add_wire(node, i, *item);
      } else {
        add_wire(node, i, *value);
      }
    }
  }

  void add_wire(Node& node, std::size_t port, const Value& value) {
    const Wire wire = resolve(value, node.type->inputs[port], node);
    const bool counts_once = node.type->inputs[port].kind == PortKind::loss;
    for (const Wire& other : node.inputs[port])
      if (counts_once && wire.linked() && other.node == wire.node && other.output == wire.output)
        report(value, node, "named-twice",
               "'" + node.type->inputs[port].name + "' of '" + node.id() + "' names '" +
                   value.scalar()->text + "' twice")
            .note("here first", other.span)
            .suggest("to count it more, give it a larger weight");
    node.inputs[port].push_back(wire);
  }

  /// What an output gives: of one that is like an input, what that input's wire gives, nothing when that
  /// leads nowhere. Wires may not be there yet, so references are read; what was found is kept for all on the
  /// way.
  std::optional<PortKind> kind_of(int index, std::size_t output) {
    std::vector<std::pair<int, std::size_t>> way;
    std::optional<PortKind> kind;
    for (std::optional<std::pair<int, std::size_t>> at{{index, output}}; at;) {
      const auto [known, fresh] = known_kinds_.try_emplace(*at);
      if (!fresh) {  // nothing yet in a ring, which is reported as such
        kind = known->second;
        break;
      }
      way.push_back(*at);
      const NodeType& type = *graph_.nodes[static_cast<std::size_t>(at->first)].type;
      if (type.outputs[at->second].like.empty()) {
        kind = type.outputs[at->second].kind;
        break;
      }
      at = source_of(graph_.nodes[static_cast<std::size_t>(at->first)], type.outputs[at->second].like);
    }
    for (const auto& place : way) known_kinds_[place] = kind;
    return kind;
  }

  /// The node and output that an input's reference names, if there are any.
  std::optional<std::pair<int, std::size_t>> source_of(const Node& node, const std::string& input) const {
    const Value* value = node.value_of(input);
    const Value::Scalar* scalar = value == nullptr ? nullptr : value->scalar();
    if (scalar == nullptr) return {};
    Reference reference = {scalar->text, ""};
    int source = graph_.find(scalar->text);
    if (source < 0) source = graph_.find((reference = split(scalar->text)).id);
    if (source < 0 || graph_.nodes[static_cast<std::size_t>(source)].type == nullptr) return {};
    const std::vector<OutputPort>& outputs = graph_.nodes[static_cast<std::size_t>(source)].type->outputs;
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const OutputPort& o) { return o.name == reference.output; });
    if (found == outputs.end()) return {};
    return {{source, static_cast<std::size_t>(found - outputs.begin())}};
  }

  void settle_kinds(int index) {
    Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    if (node.type == nullptr) return;
    for (std::size_t i = 0; i < node.type->outputs.size(); ++i)
      node.kinds.push_back(kind_of(index, i).value_or(node.type->outputs[i].kind));
  }

  Diagnostic& report(const Value& value, const Node& node, std::string code, std::string message) {
    Diagnostic& diagnostic = diagnostics_.error(std::move(code), value.span, std::move(message));
    for (const Note& note : value.notes) diagnostic.note(note.message, note.span);
    return annotate(diagnostic, node.entry);
  }

  Wire resolve(const Value& value, const InputPort& port, const Node& node) {
    const Value::Scalar* scalar = value.scalar();
    if (scalar == nullptr) {
      report(value, node, "bad-reference",
             "'" + port.name + "' takes the name of a node that gives a " + std::string(name_of(port.kind)) +
                 ", found " + value.describe());
      return {};
    }
    // A node's own id has no dot, except inside of subgraphs' names, which have none either.
    Reference reference = split(scalar->text);
    int index = graph_.find(scalar->text);
    if (index >= 0)
      reference = {scalar->text, ""};
    else
      index = graph_.find(reference.id);
    if (index < 0) {
      report_unknown(value, scalar->text, port, node);
      return {};
    }
    const Node& source = graph_.nodes[static_cast<std::size_t>(index)];
    if (source.type == nullptr) return {};
    return check_output(value, index, reference.output, port, node);
  }

  void report_unknown(const Value& value, const std::string& text, const InputPort& port, const Node& node) {
    Diagnostic& diagnostic = report(value, node, "unknown-node", "there is no node '" + split(text).id + "'");
    if (looks_like_file(text)) {
      diagnostic.message = "'" + text + "' looks like a file; '" + port.name + "' takes the name of a node";
      diagnostic.suggest("write a node 'name: {type: Load, path: " + text + "}' and put its name here");
      return;
    }
    if (const std::string meant = meant_reference(text, port.list); !meant.empty()) {
      diagnostic.suggest("write " + meant);
      return;
    }
    if (ids_.empty())
      for (const Node& other : graph_.nodes) ids_.push_back(other.id());
    // Looking for the closest name takes a while among many; nobody reads the hundredth hint.
    constexpr int most_hints = 100;
    if (hints_++ >= most_hints) return;
    const std::string hint = did_you_mean(split(text).id, ids_);
    diagnostic.suggest(hint.empty() ? candidates_text(port.kind, node) : hint);
  }

  /// "[a, b]" for "a, b" or "a + b", "a" for "nodes.a" and "@a"; "" when there is no such node.
  std::string meant_reference(const std::string& text, bool list) const {
    std::vector<std::string> names;
    constexpr const char* separators = " ,+&;";
    for (std::size_t begin = text.find_first_not_of(separators); begin != std::string::npos;) {
      const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
      names.push_back(text.substr(begin, end - begin));
      begin = text.find_first_not_of(separators, end);
    }
    for (std::string& name : names) {
      for (const char* prefix : {"nodes.", "@", "-"})
        if (name.starts_with(prefix)) name.erase(0, std::string_view(prefix).size());
      if (graph_.find(name) < 0 && graph_.find(split(name).id) < 0) return "";
    }
    if (names.size() == 1 && names[0] != text) return names[0];
    return names.size() > 1 && list ? fmt::format("[{}]", fmt::join(names, ", ")) : "";
  }

  Wire check_output(const Value& value, int index, const std::string& output, const InputPort& port,
                    const Node& node) {
    const Node& source = graph_.nodes[static_cast<std::size_t>(index)];
    std::vector<std::string> names;
    for (std::size_t i = 0; i < source.type->outputs.size(); ++i) {
      const OutputPort& candidate = source.type->outputs[i];
      names.push_back(candidate.name.empty() ? source.id() : source.id() + "." + candidate.name);
      if (candidate.name != output) continue;
      // Of an unknown kind nothing is said here: what it comes from has been.
      const PortKind kind = kind_of(index, i).value_or(port.kind);
      if (port.takes(kind)) return {index, static_cast<int>(i), value.span};
      Diagnostic& diagnostic =
          report(value, node, "wrong-kind",
                 "'" + port.name + "' of " + node.type->name + " takes a " + names_of(port) + ", but '" +
                     names.back() + "' gives a " + std::string(name_of(kind)));
      const char* article =
          std::string_view("AEIO").find(source.type->name[0]) != std::string_view::npos ? "an " : "a ";
      diagnostic.note("'" + source.id() + "' is " + article + source.type->name, source.entry.id_span);
      diagnostic.suggest(conversion_hint(kind, port.kind, node));
      return {};
    }
    Diagnostic& diagnostic =
        names.empty()
            ? report(
                  value, node, "unknown-output",
                  "'" + source.id() + "' is a " + source.type->name + ", which gives nothing to other nodes")
            : report(value, node, "unknown-output", "'" + source.id() + "' has no output '" + output + "'");
    if (!names.empty()) diagnostic.suggest("it gives " + join_words(names));
    diagnostic.note("'" + source.id() + "' is defined here", source.entry.id_span);
    return {};
  }

  static std::string names_of(const InputPort& port) {
    std::string names(name_of(port.kind));
    for (const PortKind kind : port.also) names += " or a " + std::string(name_of(kind));
    return names;
  }

  std::string conversion_hint(PortKind from, PortKind to, const Node& node) {
    for (const NodeType& type : types_) {
      const bool takes = std::any_of(type.inputs.begin(), type.inputs.end(),
                                     [&](const InputPort& p) { return p.kind == from && p.required; });
      const bool gives = std::any_of(type.outputs.begin(), type.outputs.end(),
                                     [&](const OutputPort& p) { return p.kind == to; });
      if (takes && gives && !type.optimizer && type.inputs.size() == 1)
        return "put a " + type.name + " node between them";
    }
    return candidates_text(to, node);
  }

  std::string candidates_text(PortKind kind, const Node& asking) {
    std::vector<std::string> names;
    constexpr int most_looks = 100;  // each goes through all nodes; nobody reads the hundredth hint
    if (looks_++ >= most_looks) return "";
    for (const Node& node : graph_.nodes) {
      if (node.type == nullptr || node.id() == asking.id()) continue;
      for (std::size_t i = 0; i < node.type->outputs.size(); ++i) {
        const std::string& output = node.type->outputs[i].name;
        if (kind_of(graph_.find(node.id()), i) == kind)
          names.push_back(output.empty() ? node.id() : node.id() + "." + output);
      }
    }
    if (names.empty() || names.size() > 8) {
      for (const NodeType& type : types_)
        for (const OutputPort& output : type.outputs)
          if (output.kind == kind)
            return "a " + std::string(name_of(kind)) + " comes from a " + type.name + " node";
      return "";
    }
    return "here a " + std::string(name_of(kind)) + " comes from " + join_words(names, "or");
  }

  void warn_about_saving() {
    const bool saves = std::any_of(graph_.nodes.begin(), graph_.nodes.end(),
                                   [](const Node& node) { return node.type->sink; });
    if (saves || graph_.nodes.empty()) return;
    diagnostics_.warning("nothing-saved", document_.nodes_span, "no node saves anything")
        .suggest("add 'save: {type: Save, image: ..., path: result.png}'");
  }

  const Document& document_;
  const NodeTypes& types_;
  Diagnostics& diagnostics_;
  Graph graph_;
  std::vector<std::string> ids_;
  int hints_ = 0, looks_ = 0;
  std::map<std::pair<int, std::size_t>, std::optional<PortKind>> known_kinds_;  // by node and output
};

}  // namespace

Graph link(const Document& document, const NodeTypes& types, Diagnostics& diagnostics) {
  return Linker(document, types, diagnostics).run();
}

}  // namespace gramflow
