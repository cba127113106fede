#pragma once
// The network that a node names.
#include <memory>
#include <string>

#include "framework/graph/lower.h"
#include "nodes/networks/network_library.h"

namespace gramflow {

/// `name` is what the node's `network` says: a name of the library, or a path, which means the place where it
/// is written (framework/config/written_path.h). nullptr after a report.
std::shared_ptr<const Network> named_network(LowerContext& context, NetworkLibrary& library,
                                             const std::string& name);

}  // namespace gramflow
