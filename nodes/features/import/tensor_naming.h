#pragma once
// Which tensor of a file belongs to which layer of a network, by the names that different programs give.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "nodes/features/import/tensor_source.h"
#include "nodes/features/network.h"

namespace gramflow {

enum class Naming {
  keras,        ///< block1_conv2/... with a kernel of HWIO and a bias
  torchvision,  ///< features.N.weight, N counting convolutions, batch norms, ReLUs and pools; timm's are the
                ///< same
  own,          ///< as the network's YAML says: conv1_2.weight
};

/// What a file's names look like. nullopt when they are of no known kind.
std::optional<Naming> recognise_naming(const TensorSource& source);

/// The tensors of one convolution, as indices into TensorSource::tensors().
struct LayerTensors {
  const NetworkLayer* layer = nullptr;
  std::size_t weight = 0;
  std::size_t bias = 0;
  /// Scale, shift, mean and variance of the batch norm after it.
  std::optional<std::array<std::size_t, 4>> batch_norm;
};

struct NetworkMatch {
  std::vector<LayerTensors> layers;    ///< of the convolutions that are complete
  std::vector<std::string> problems;   ///< missing and misshapen tensors, one line each
  std::vector<std::string> left_over;  ///< names of tensors that the network does not use
};

NetworkMatch match_network(const Network& network, const TensorSource& source, Naming naming);

}  // namespace gramflow
