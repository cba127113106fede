#pragma once
// In which section of the program each node runs. Internal to framework/graph.
#include "framework/graph/graph.h"

namespace gramflow {

/// Fills graph.order and graph.optimizers and each node's `used`, `loop` and `straight`; warns of nodes that
/// nobody needs, reports losses that do not depend on their optimiser's canvas, and optimisers that wait for
/// each other. The graph must be free of cycles.
void infer_sections(Graph& graph, Diagnostics& diagnostics);

}  // namespace gramflow
