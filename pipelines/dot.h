#pragma once
// Graphs in Graphviz's language.
#include <string>

#include "framework/graph/graph.h"

namespace gramflow {

/// Nodes, coloured by phase; the wire from the optimiser's canvas is dashed.
std::string to_dot(const Graph& graph);
/// Operations, backward ones in a colour of their own.
std::string to_dot(const Program& program);

}  // namespace gramflow
