#pragma once
// What the engine has to know of a network's input convention.
#include "framework/graph/lower.h"
#include "nodes/networks/network.h"

namespace gramflow {

InputSpace input_space(const Network& network);

}  // namespace gramflow
