#pragma once
// The node types of this folder.
#include "framework/graph/node_type.h"

namespace gramflow {

NodeType load_node();
NodeType save_node();
NodeType resize_node();
NodeType grade_node();
NodeType sharpen_node();
NodeType rotate_node();
NodeType match_colors_node();
NodeType noise_node();
NodeType mix_node();

}  // namespace gramflow
