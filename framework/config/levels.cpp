#include "framework/config/levels.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"

// A reference "name.port" means, from inside to outside: a node of the same level (its full id), an output of
// a subgraph used there (what that output stands for inside of it), or an input of the subgraph the level
// belongs to (what the use connects to it, a reference in the level above). An input may be connected to a
// list, which then takes the place of the reference.

namespace gramflow {
namespace {

constexpr int longest_way = 500;  // of a reference through inputs and outputs; longer ones go in a ring

class Flattener {
 public:
  Flattener(const IsPort& is_port, std::vector<NodeEntry>& nodes, Diagnostics& diagnostics)
      : is_port_(is_port), nodes_(nodes), diagnostics_(diagnostics) {}

  void run(const Level& level) {
    for (const LevelNode& node : level.nodes) {
      if (node.inside != nullptr) {
        run(*node.inside);
        continue;
      }
      NodeEntry entry = node.entry;
      if (!entry.notes.empty()) {
        for (Entry& item : entry.entries) {
          auto value = std::make_shared<Value>(*item.value);
          value->notes.insert(value->notes.end(), entry.notes.begin(), entry.notes.end());
          item.value = std::move(value);
        }
      }
      for (Entry& item : entry.entries)
        if (!is_port_ || is_port_(entry.type, item.key)) item.value = rewrite(item.value, level);
      nodes_.push_back(std::move(entry));
    }
  }

 private:
  ValuePtr rewrite(const ValuePtr& value, const Level& level) {
    if (value->scalar() != nullptr) return resolve(value, level, 0);
    const Value::List* items = value->list();
    if (items == nullptr) return value;
    Value::List rewritten;
    for (const ValuePtr& item : *items) {
      const ValuePtr found = item->scalar() != nullptr ? resolve(item, level, 0) : item;
      const Value::List* several = item->scalar() != nullptr ? found->list() : nullptr;
      if (several != nullptr) {
        rewritten.insert(rewritten.end(), several->begin(), several->end());
      } else {
        rewritten.push_back(found);
      }
    }
    auto result = std::make_shared<Value>(*value);
    result->data = std::move(rewritten);
    return result;
  }

  static ValuePtr text(const Value& like, std::string reference) {
    auto value = std::make_shared<Value>(like);
    value->data = Value::Scalar{std::move(reference), like.scalar()->quoted};
    return value;
  }

  ValuePtr resolve(const ValuePtr& reference, const Level& level, int way) {
    const std::string& written = reference->scalar()->text;
    const std::size_t dot = written.find('.');
    const std::string name = written.substr(0, dot);
    const std::string port = dot == std::string::npos ? "" : written.substr(dot + 1);
    if (way > longest_way) {
      report(*reference, "subgraph-ring",
             fmt::format("{} leads back to itself through inputs and outputs of subgraphs", quote(written)));
      return reference;
    }
    const auto found = level.by_name.find(name);
    if (found != level.by_name.end()) {
      const LevelNode& node = level.nodes[found->second];
      if (node.inside == nullptr)
        return level.prefix.empty() ? reference : text(*reference, level.prefix + written);
      return resolve_output(reference, name, port, *node.inside, way);
    }
    if (level.subgraph != nullptr) {
      for (const SubgraphParameter& input : level.subgraph->inputs)
        if (input.name == name) return resolve_input(reference, name, port, level, way);
      if (is_port_)
        return text(*reference, level.prefix + written);  // unknown: the linker says so with the full id
    }
    return reference;
  }

  ValuePtr resolve_output(const ValuePtr& reference, const std::string& name, const std::string& port,
                          const Level& inside, int way) {
    if (!inside.opened) return broken_value(reference->span);
    const std::vector<Entry>& outputs = inside.subgraph->outputs;
    const auto output =
        std::find_if(outputs.begin(), outputs.end(), [&](const Entry& entry) { return entry.key == port; });
    if (output != outputs.end()) return through(reference, output->value->scalar()->text, inside, way);
    if (!inside.subgraph->outputs_known) return broken_value(reference->span);
    std::vector<std::string> names;
    for (const Entry& entry : outputs) names.push_back(name + "." + entry.key);
    const std::string subgraph = quote(inside.subgraph->name);
    if (outputs.empty()) {
      report(*reference, "unknown-output",
             fmt::format("the subgraph {} has no outputs, so nothing can be connected to {}", subgraph,
                         quote(name)))
          .note("the subgraph", inside.subgraph->name_span)
          .suggest("add 'outputs: {name: node}' to it");
      return reference;
    }
    if (outputs.size() == 1) {
      // The only output needs no name, and what follows the dot is a port of the node behind it.
      const std::string& behind = outputs[0].value->scalar()->text;
      if (port.empty()) return through(reference, behind, inside, way);
      if (behind.find('.') == std::string::npos) return through(reference, behind + "." + port, inside, way);
    }
    Diagnostic& diagnostic =
        port.empty() ? report(*reference, "unknown-output",
                              fmt::format("the subgraph {} has {} outputs; one of them was expected",
                                          subgraph, outputs.size()))
                     : report(*reference, "unknown-output",
                              fmt::format("the subgraph {} has no output {}", subgraph, quote(port)));
    const std::string near = port.empty() ? "" : did_you_mean(name + "." + port, names);
    diagnostic.suggest(near.empty() ? "write " + join_words(names, "or") : near)
        .note("the subgraph", inside.subgraph->name_span);
    return through(reference, outputs[0].value->scalar()->text, inside,
                   way);  // so that nothing else is said about it
  }

  ValuePtr through(const ValuePtr& reference, const std::string& behind, const Level& inside, int way) {
    return resolve(text(*reference, behind), inside, way + 1);
  }

  ValuePtr resolve_input(const ValuePtr& reference, const std::string& name, const std::string& port,
                         const Level& level, int way) {
    const auto given = std::find_if(level.inputs.begin(), level.inputs.end(),
                                    [&](const Entry& entry) { return entry.key == name; });
    if (given == level.inputs.end()) return resolve_default(reference, name, port, level, way);
    const Note note{
        fmt::format("through the input {} of the subgraph {}", quote(name), quote(level.subgraph->name)),
        reference->span};
    const auto noted = [&](const ValuePtr& value) {
      auto copy = std::make_shared<Value>(*value);
      if (copy->notes.size() < 8) copy->notes.push_back(note);
      return copy;
    };
    const auto connect = [&](const ValuePtr& value) -> ValuePtr {
      if (value->scalar() == nullptr) return value;
      const std::string& outside = value->scalar()->text;
      if (port.empty()) return resolve(noted(value), *level.parent, way + 1);
      if (outside.find('.') != std::string::npos) {
        report(*reference, "unknown-output",
               fmt::format("the input {} is connected to {}, which has no output {}", quote(name),
                           quote(outside), quote(port)))
            .note("connected here", value->span);
        return reference;
      }
      return resolve(text(*noted(value), outside + "." + port), *level.parent, way + 1);
    };
    const Value::List* items = given->value->list();
    if (items == nullptr) return connect(given->value);
    auto list = std::make_shared<Value>(*noted(given->value));
    Value::List connected;
    for (const ValuePtr& item : *items) connected.push_back(connect(item));
    list->data = std::move(connected);
    return list;
  }

  /// What an input stands for that the use does not connect: something else inside of the subgraph.
  ValuePtr resolve_default(const ValuePtr& reference, const std::string& name, const std::string& port,
                           const Level& level, int way) {
    for (const SubgraphParameter& input : level.subgraph->inputs) {
      if (input.name != name || input.value == nullptr || input.value->broken) continue;
      std::string inside = input.value->scalar()->text;
      if (!port.empty() && inside.find('.') == std::string::npos) inside += "." + port;
      return resolve(text(*reference, inside), level, way + 1);
    }
    return broken_value(reference->span);  // reported where it is used
  }

  Diagnostic& report(const Value& place, std::string code, std::string message) {
    Diagnostic& diagnostic = diagnostics_.error(std::move(code), place.span, std::move(message));
    diagnostic.notes = place.notes;
    return diagnostic;
  }

  const IsPort& is_port_;
  std::vector<NodeEntry>& nodes_;
  Diagnostics& diagnostics_;
};

}  // namespace

void flatten(const Level& level, const IsPort& is_port, std::vector<NodeEntry>& nodes,
             Diagnostics& diagnostics) {
  Flattener(is_port, nodes, diagnostics).run(level);
}

}  // namespace gramflow
