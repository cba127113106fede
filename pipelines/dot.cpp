#include "pipelines/dot.h"

#include <fmt/format.h>

#include <vector>

namespace gramflow {
namespace {

/// What runs before any optimiser, in a loop, after one.
const char* color_of(int section) {
  if (section == 0) return "#dde6f0";
  return is_loop(section) ? "#fbe3c8" : "#dcefdc";
}

std::string escaped(std::string text) {
  for (std::size_t at = text.find_first_of("\"\\"); at != std::string::npos;
       at = text.find_first_of("\"\\", at + 2))
    text.insert(at, 1, '\\');
  return text;
}

constexpr const char* head =
    "digraph gramflow {\n  rankdir=LR; node [shape=box style=\"rounded,filled\" fontname=\"Helvetica\" "
    "fontsize=11];\n"
    "  edge [fontname=\"Helvetica\" fontsize=9];\n";

}  // namespace

std::string to_dot(const Graph& graph) {
  std::string text = head;
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    const Node& node = graph.nodes[index];
    if (!node.used) continue;
    const int section = node.loop >= 0 ? loop_section(node.loop) : node.straight;
    const std::string where =
        graph.optimizers.size() > 1 ? "\\n" + escaped(section_name(graph, section)) : "";
    text += fmt::format("  n{} [label=\"{}\\n{}{}\" fillcolor=\"{}\"];\n", index, escaped(node.id()),
                        node.type->name, where, color_of(section));
    for (std::size_t p = 0; p < node.inputs.size(); ++p)
      for (const Wire& wire : node.inputs[p]) {
        const OutputPort& output = graph.nodes[static_cast<std::size_t>(wire.node)]
                                       .type->outputs[static_cast<std::size_t>(wire.output)];
        text += fmt::format("  n{} -> n{} [label=\"{}\"{}];\n", wire.node, index, node.type->inputs[p].name,
                            output.before_inputs ? " style=dashed constraint=false" : "");
      }
  }
  return text + "}\n";
}

std::string to_dot(const std::vector<Step>& steps) {
  std::string text = head;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    text += fmt::format("  s{} [label=\"{}\\n{}{}\" fillcolor=\"{}\"];\n", i, escaped(step.node), step.type,
                        step.backward ? " backward" : "", step.backward ? "#f6c9c9" : color_of(step.section));
    for (const int from : step.from) {
      const Step& source = steps[static_cast<std::size_t>(from)];
      const bool canvas = source.operations == 0 && step.section == source.section;
      const bool kept = step.backward && !source.backward && source.section == step.section && !canvas;
      text += fmt::format("  s{} -> s{}{};\n", from, i,
                          canvas ? " [style=dashed constraint=false]"
                          : kept ? " [style=dotted color=\"#808080\"]"
                                 : "");
    }
  }
  return text + "}\n";
}

}  // namespace gramflow
