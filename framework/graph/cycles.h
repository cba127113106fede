#pragma once
// Rings of nodes that wait for each other. Internal to framework/graph.
#include "framework/graph/graph.h"

namespace gramflow {

/// Reports every ring of nodes that wait for each other, with the line of each wire. True when there was one.
bool report_cycles(const Graph& graph, Diagnostics& diagnostics);

}  // namespace gramflow
