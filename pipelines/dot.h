#pragma once
// Graphs in Graphviz's language.
#include <string>

#include "framework/graph/graph.h"
#include "pipelines/steps.h"

namespace gramflow {

/// How wide a drawing may get, in pixels of 1/96 inch, before its line of nodes goes on below; 0: any width.
inline constexpr int default_drawing_width = 4000;

/// Nodes, coloured by section; the wire from an optimiser's canvas is dashed.
std::string to_dot(const Graph& graph, int width = default_drawing_width);
/// Steps, backward ones in a colour of their own. Dashed: the canvas; dotted: what going forward leaves for
/// going back.
std::string to_dot(const std::vector<Step>& steps, int width = default_drawing_width);

}  // namespace gramflow
