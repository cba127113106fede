#pragma once
// What a network leaves over of a file, and whether it may be left over.
#include <set>

#include "nodes/import/tensor_naming.h"

namespace gramflow {

/// Adds an objection to `match` for everything unused that may change one of the network's layers: norms,
/// PReLUs and scales of as many channels, convolutions between the used ones or in front of them. `end`
/// counts torchvision's modules up to the network's last layer.
void judge_surplus(const Network& network, const TensorSource& source, const TensorNames& names,
                   const std::set<std::size_t>& used, int end, NetworkMatch& match);

}  // namespace gramflow
