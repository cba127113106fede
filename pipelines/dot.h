#pragma once
// Graphs in Graphviz's language.
#include <string>

#include "framework/graph/graph.h"
#include "pipelines/steps.h"

namespace gramflow {

/// Nodes, coloured by section; the wire from an optimiser's canvas is dashed.
std::string to_dot(const Graph& graph);
/// Steps, backward ones in a colour of their own. Dashed: the canvas; dotted: what going forward leaves for
/// going back.
std::string to_dot(const std::vector<Step>& steps);

}  // namespace gramflow
