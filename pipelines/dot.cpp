#include "pipelines/dot.h"

#include <fmt/format.h>

#include <vector>

namespace gramflow {
namespace {

const char* color_of(Phase phase) {
  switch (phase) {
    case Phase::prologue:
      return "#dde6f0";
    case Phase::loop:
      return "#fbe3c8";
    case Phase::epilogue:
      return "#dcefdc";
  }
  return "";
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
  for (const int index : graph.order) {
    const Node& node = graph.nodes[static_cast<std::size_t>(index)];
    text += fmt::format("  n{} [label=\"{}\\n{}\" fillcolor=\"{}\"];\n", index, escaped(node.id()),
                        node.type->name, color_of(node.phase));
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

std::string to_dot(const Program& program) {
  std::string text = head;
  std::vector<int> makers(program.tensors.size(), -1);
  if (program.canvas != no_tensor) text += "  canvas [shape=ellipse fillcolor=\"#f5f5a0\"];\n";
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    const Operation& operation = program.operations[i];
    text += fmt::format("  o{} [label=\"{}\\n{}\" fillcolor=\"{}\"];\n", i, escaped(operation.label),
                        operation.op->kind(), operation.backward ? "#f6c9c9" : color_of(operation.phase));
    for (const TensorId id : operation.inputs) {
      if (id == no_tensor) continue;
      if (const int maker = makers[static_cast<std::size_t>(id)]; maker >= 0)
        text += fmt::format("  o{} -> o{};\n", maker, i);
      else
        text += fmt::format("  canvas -> o{};\n", i);
    }
    for (const TensorId id : operation.outputs)
      if (id != no_tensor) makers[static_cast<std::size_t>(id)] = static_cast<int>(i);
  }
  return text + "}\n";
}

}  // namespace gramflow
