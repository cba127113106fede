#pragma once
// What other programs call a network's layers.
#include <string>
#include <string_view>

#include "nodes/networks/network.h"

namespace gramflow {

/// A hint for a name that a network does not have but another program's counting explains: "write 'conv2_2':
/// PyTorch's tutorial counts convolutions". "" when it is nobody's. Known are conv_4, relu_4 and pool_2 (counted
/// by kind), block4_conv2 and block4_pool (Keras), features.21 and 21 (torchvision's place in the list).
std::string layer_in_other_words(const Network& network, std::string_view name);

}  // namespace gramflow
