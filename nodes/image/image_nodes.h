#pragma once
// The node types of this folder.
#include <memory>

#include "framework/graph/node_type.h"

namespace gramflow {

class PictureReader;

/// They share what reads pictures, and so one child program serves all pictures of a run.
NodeType load_node(std::shared_ptr<PictureReader> reader);
NodeType save_node(std::shared_ptr<PictureReader> reader);
NodeType resize_node();
NodeType grade_node();
NodeType sharpen_node();
NodeType rotate_node();
NodeType match_colors_node();
NodeType noise_node();
NodeType mix_node();

}  // namespace gramflow
