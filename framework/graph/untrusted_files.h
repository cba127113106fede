#pragma once
// The files that the nodes of a stranger's pipeline name.
#include <vector>

#include "framework/graph/lower.h"

namespace gramflow {

/// Reports parameters that name a file to read outside of the pipeline's folder. Before lowering, which opens them.
void check_untrusted_reads(const Graph& graph, Diagnostics& diagnostics);
/// Reports pictures to be written outside of the current folder, and weights that a network's file of the stranger takes
/// from elsewhere.
void check_untrusted_files(const Graph& graph, const std::vector<UsedFile>& files, Diagnostics& diagnostics);

}  // namespace gramflow
