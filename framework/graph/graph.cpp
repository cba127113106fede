#include "framework/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>

namespace gramflow {

std::string_view name_of(PortKind kind) {
  switch (kind) {
    case PortKind::picture:
      return "picture";
    case PortKind::network_input:
      return "network input";
    case PortKind::features:
      return "set of features";
    case PortKind::grams:
      return "set of Gram matrices";
    case PortKind::loss:
      return "loss";
  }
  return "";
}

bool InputPort::takes(PortKind other) const {
  return other == kind || std::find(also.begin(), also.end(), other) != also.end();
}

const NodeType* find_type(const NodeTypes& types, std::string_view name) {
  for (const NodeType& type : types)
    if (type.name == name) return &type;
  return nullptr;
}

std::function<bool(std::string_view, std::string_view)> port_test(const NodeTypes& types) {
  return [&types](std::string_view name, std::string_view key) {
    const NodeType* type = find_type(types, name);
    return type != nullptr && std::any_of(type->inputs.begin(), type->inputs.end(),
                                          [&](const InputPort& port) { return port.name == key; });
  };
}

const Value* Node::value_of(std::string_view key) const {
  for (const Entry& written : entry.entries)
    if (written.key == key) return written.value.get();
  return nullptr;
}

Span Node::span_of(std::string_view key) const {
  const Value* value = value_of(key);
  return value != nullptr ? value->span : entry.id_span;
}

int Graph::find(const std::string& id) const {
  const auto found = by_id.find(id);
  return found == by_id.end() ? -1 : found->second;
}

std::string section_name(const Graph& graph, int section) {
  Program names;
  for (const int optimizer : graph.optimizers) {
    names.loops.emplace_back();
    names.loops.back().node = graph.nodes[static_cast<std::size_t>(optimizer)].id();
  }
  return names.section_name(section);
}

std::string to_string(const Graph& graph) {
  std::size_t section_width = 8, id_width = 0, type_width = 0;
  for (const Node& node : graph.nodes) {
    id_width = std::max(id_width, node.id().size());
    type_width = std::max(type_width, node.type->name.size());
  }
  std::vector<std::string> sections;
  for (int section = 0; section <= 2 * static_cast<int>(graph.optimizers.size()); ++section) {
    sections.push_back(section_name(graph, section));
    section_width = std::max(section_width, sections.back().size());
  }
  std::string text;
  for (const Placed& placed : graph.order) {
    const Node& node = graph.nodes[static_cast<std::size_t>(placed.node)];
    text += fmt::format("{:{}}  {:{}}  ", sections[static_cast<std::size_t>(placed.section)], section_width,
                        node.id(), id_width);
    text += node.inputs.empty() ? node.type->name : fmt::format("{:{}}", node.type->name, type_width);
    for (std::size_t p = 0; p < node.inputs.size(); ++p) {
      if (node.inputs[p].empty()) continue;
      text += fmt::format("  {}=", node.type->inputs[p].name);
      for (const Wire& wire : node.inputs[p]) {
        const Node& source = graph.nodes[static_cast<std::size_t>(wire.node)];
        const std::string& output = source.type->outputs[static_cast<std::size_t>(wire.output)].name;
        text += fmt::format("{}{}{}", &wire == &node.inputs[p].front() ? "" : "+", source.id(),
                            output.empty() ? "" : "." + output);
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace gramflow
