// Graphviz draws from left to right, a column for each step away from the sources, so a long chain becomes a
// ribbon that no viewer shows. It cannot break lines itself. Here columns are counted and their widths
// estimated before it draws; when a line is full, the next column begins a new one: arrows from line to line
// keep no order (constraint=false), so that each line starts at the left, and the lines lie below each other.
#include "pipelines/dot.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace gramflow {
namespace {

struct Box {
  std::string name;  ///< in the language: n12
  std::vector<std::string> lines;
  const char* color = "";
};

struct Arrow {
  int from = 0;  ///< places in the list of boxes
  int to = 0;
  std::string label;
  std::string style;
  bool orders = true;  ///< its end stands to the right of its beginning
};

struct Drawing {
  std::vector<Box> boxes;
  std::vector<Arrow> arrows;
};

/// Letters of Helvetica in pixels of 1/96 inch, rather too wide than too narrow, with what stands around them.
double width_of(const Box& box) {
  std::size_t longest = 0;
  for (const std::string& line : box.lines) longest = std::max(longest, line.size());
  return std::max(72.0, static_cast<double>(longest) * 9.0 + 24.0);
}
double gap_of(const Arrow& arrow) { return 48.0 + static_cast<double>(arrow.label.size()) * 7.0; }

/// The column of each box: one more than that of the last box that an arrow comes from.
std::vector<int> columns_of(const Drawing& drawing) {
  std::vector<std::vector<int>> next(drawing.boxes.size());
  std::vector<int> waits_for(drawing.boxes.size(), 0);
  for (const Arrow& arrow : drawing.arrows)
    if (arrow.orders) {
      next[static_cast<std::size_t>(arrow.from)].push_back(arrow.to);
      ++waits_for[static_cast<std::size_t>(arrow.to)];
    }
  std::vector<int> columns(drawing.boxes.size(), 0);
  std::vector<std::size_t> ready;
  for (std::size_t box = 0; box < waits_for.size(); ++box)
    if (waits_for[box] == 0) ready.push_back(box);
  for (std::size_t at = 0; at < ready.size(); ++at) {
    const std::size_t from = ready[at];
    for (const int to : next[from]) {
      const auto box = static_cast<std::size_t>(to);
      columns[box] = std::max(columns[box], columns[from] + 1);
      if (--waits_for[box] == 0) ready.push_back(box);
    }
  }
  return columns;
}

/// The line of each box; all 0 when everything fits into one.
std::vector<int> lines_of(const Drawing& drawing, int width) {
  const std::vector<int> columns = columns_of(drawing);
  const int last = columns.empty() ? 0 : *std::max_element(columns.begin(), columns.end());
  std::vector<double> widths(static_cast<std::size_t>(last) + 1, 0);
  std::vector<double> gaps(static_cast<std::size_t>(last) + 1, 0);
  for (std::size_t box = 0; box < columns.size(); ++box) {
    double& most = widths[static_cast<std::size_t>(columns[box])];
    most = std::max(most, width_of(drawing.boxes[box]));
  }
  for (const Arrow& arrow : drawing.arrows) {
    double& most = gaps[static_cast<std::size_t>(columns[static_cast<std::size_t>(arrow.to)])];
    most = std::max(most, gap_of(arrow));
  }
  std::vector<int> line_of_column(widths.size(), 0);
  int line = 0;
  double used = 0;
  for (std::size_t column = 0; column < widths.size(); ++column) {
    const double more = widths[column] + gaps[column];
    if (width > 0 && used > 0 && used + more > width) ++line, used = 0;
    used += more;
    line_of_column[column] = line;
  }
  std::vector<int> lines(columns.size());
  for (std::size_t box = 0; box < columns.size(); ++box)
    lines[box] = line_of_column[static_cast<std::size_t>(columns[box])];
  return lines;
}

std::string escaped(std::string text) {
  for (std::size_t at = text.find_first_of("\"\\"); at != std::string::npos;
       at = text.find_first_of("\"\\", at + 2))
    text.insert(at, 1, '\\');
  return text;
}

std::string text_of(const Drawing& drawing, int width) {
  const std::vector<int> lines = lines_of(drawing, width);
  std::string text =
      "digraph gramflow {\n  rankdir=LR; node [shape=box style=\"rounded,filled\" fontname=\"Helvetica\" "
      "fontsize=11];\n  edge [fontname=\"Helvetica\" fontsize=9];\n";
  for (const Box& box : drawing.boxes) {
    std::string label;
    for (const std::string& line : box.lines) label += (label.empty() ? "" : "\\n") + escaped(line);
    text += fmt::format("  {} [label=\"{}\" fillcolor=\"{}\"];\n", box.name, label, box.color);
  }
  for (const Arrow& arrow : drawing.arrows) {
    const auto from = static_cast<std::size_t>(arrow.from);
    const auto to = static_cast<std::size_t>(arrow.to);
    std::string attributes = arrow.label.empty() ? "" : fmt::format(" label=\"{}\"", escaped(arrow.label));
    if (!arrow.style.empty()) attributes += " " + arrow.style;
    if (!arrow.orders || lines[from] != lines[to]) attributes += " constraint=false";
    if (!attributes.empty()) attributes = " [" + attributes.substr(1) + "]";
    text += fmt::format("  {} -> {}{};\n", drawing.boxes[from].name, drawing.boxes[to].name, attributes);
  }
  return text + "}\n";
}

/// What runs before any optimiser, in a loop, after one.
const char* color_of(int section) {
  if (section == 0) return "#dde6f0";
  return is_loop(section) ? "#fbe3c8" : "#dcefdc";
}

}  // namespace

std::string to_dot(const Graph& graph, int width) {
  Drawing drawing;
  std::vector<int> box_of(graph.nodes.size(), -1);
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    const Node& node = graph.nodes[index];
    if (!node.used) continue;
    const int section = node.loop >= 0 ? loop_section(node.loop) : node.straight;
    box_of[index] = static_cast<int>(drawing.boxes.size());
    drawing.boxes.push_back({fmt::format("n{}", index), {node.id(), node.type->name}, color_of(section)});
    if (graph.optimizers.size() > 1) drawing.boxes.back().lines.push_back(section_name(graph, section));
  }
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    const Node& node = graph.nodes[index];
    if (!node.used) continue;
    for (std::size_t p = 0; p < node.inputs.size(); ++p)
      for (const Wire& wire : node.inputs[p]) {
        const bool canvas = graph.nodes[static_cast<std::size_t>(wire.node)]
                                .type->outputs[static_cast<std::size_t>(wire.output)]
                                .before_inputs;
        drawing.arrows.push_back({box_of[static_cast<std::size_t>(wire.node)], box_of[index],
                                  node.type->inputs[p].name, canvas ? "style=dashed" : "", !canvas});
      }
  }
  return text_of(drawing, width);
}

std::string to_dot(const std::vector<Step>& steps, int width) {
  Drawing drawing;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    drawing.boxes.push_back({fmt::format("s{}", i),
                             {step.node, step.type + (step.backward ? " backward" : "")},
                             step.backward ? "#f6c9c9" : color_of(step.section)});
    for (const int from : step.from) {
      const Step& source = steps[static_cast<std::size_t>(from)];
      const bool canvas = source.operations == 0 && step.section == source.section;
      const bool kept = step.backward && !source.backward && source.section == step.section && !canvas;
      drawing.arrows.push_back({from, static_cast<int>(i), "",
                                canvas ? "style=dashed"
                                : kept ? "style=dotted color=\"#808080\""
                                       : "",
                                !canvas});
    }
  }
  return text_of(drawing, width);
}

}  // namespace gramflow
