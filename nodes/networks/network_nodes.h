#pragma once
// The node types of this folder.
#include <memory>

#include "framework/graph/node_type.h"
#include "nodes/networks/network_library.h"

namespace gramflow {

inline constexpr const char* default_network = "vgg19-mini";

NodeType vgg_extract_node(std::shared_ptr<NetworkLibrary> library);
NodeType preprocess_node(std::shared_ptr<NetworkLibrary> library);
NodeType postprocess_node(std::shared_ptr<NetworkLibrary> library);

}  // namespace gramflow
