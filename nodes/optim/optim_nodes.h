#pragma once
// The node type of this folder.
#include "framework/graph/node_type.h"

namespace gramflow {

NodeType optimizer_node();

}  // namespace gramflow
