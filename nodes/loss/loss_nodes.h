#pragma once
// The node types of this folder: what the optimiser makes small, and what it is made of.
#include "framework/graph/node_type.h"

namespace gramflow {

NodeType content_loss_node();
NodeType gram_node();
NodeType neighbor_loss_node();
NodeType style_loss_node();
NodeType tv_loss_node();

}  // namespace gramflow
