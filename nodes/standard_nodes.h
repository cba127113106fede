#pragma once
// The node types that gramflow comes with.
#include <memory>

#include "framework/graph/node_type.h"
#include "nodes/networks/network_library.h"

namespace gramflow {

/// In the order of the documentation. The types share `library`.
NodeTypes standard_nodes(std::shared_ptr<NetworkLibrary> library);

}  // namespace gramflow
