#pragma once
// A program at the scale people think in: one step a node and direction. "canvas_features" goes forward as
// nine convolutions and back as nine more; here that is two steps.
#include <string>
#include <vector>

#include "framework/graph/graph.h"
#include "framework/ops/program.h"

namespace gramflow {

struct Step {
  std::string node;  ///< id in the pipeline
  std::string type;  ///< of the node
  int section = 0;
  std::string section_name;
  bool backward = false;
  int operations = 0;     ///< of the program, 0 for the optimiser
  std::vector<int> from;  ///< steps whose results it reads, each once, in their order
};

/// In the order in which the program first comes to them. An optimiser is a step of its loop: it reads the
/// start and the gradient, and makes the canvas.
std::vector<Step> steps_of(const Graph& graph, const Program& program);

/// One line a step.
std::string to_string(const std::vector<Step>& steps);

}  // namespace gramflow
