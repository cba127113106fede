#pragma once
// Questions about who depends on whom. Internal to framework/graph.
#include "framework/graph/graph.h"

namespace gramflow {

/// Reports every ring of nodes that wait for each other, with the line of each wire. True when there was one.
bool report_cycles(const Graph& graph, Diagnostics& diagnostics);

/// Fills graph.order and graph.optimizers and each node's `used`, `loop` and `straight`; warns of nodes that
/// nobody needs, reports losses that do not depend on their optimiser's canvas, and optimisers that wait for
/// each other. The graph must be free of cycles.
void infer_sections(Graph& graph, Diagnostics& diagnostics);

}  // namespace gramflow
