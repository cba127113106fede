#pragma once
// The node types of this folder.
#include <memory>

#include "framework/graph/node_type.h"
#include "nodes/features/network_library.h"

namespace gramflow {

NodeType load_node();
NodeType save_node();
NodeType resize_node();
NodeType grade_node();
NodeType sharpen_node();
NodeType rotate_node();
NodeType noise_node();
NodeType preprocess_node(std::shared_ptr<NetworkLibrary> library);
NodeType postprocess_node(std::shared_ptr<NetworkLibrary> library);

}  // namespace gramflow
