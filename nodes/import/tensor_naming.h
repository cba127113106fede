#pragma once
// Which tensors of a file belong to which layer of a network: by what the network's file says, and where it
// says nothing by the names that different programs give.
#include <optional>
#include <string>
#include <vector>

#include "nodes/import/layer_parts.h"
#include "nodes/import/tensor_source.h"
#include "nodes/networks/network.h"

namespace gramflow {

enum class Naming {
  own,          ///< as the network's YAML says, or its layers' names: conv1_2.weight
  keras,        ///< block1_conv2
  counted,      ///< conv2d, conv2d_1, ...: Keras's own names, one a layer
  chain,        ///< any: the model says in what order its convolutions are applied
  torchvision,  ///< features.N, N counting convolutions, norms, ReLUs and pools; timm's are the same
};

/// One set of tensors in a file that may be a network.
struct TensorSet {
  Naming naming = Naming::own;
  std::string prefix;  ///< before every name: "state_dict."
};

/// "block1_conv2" for conv1_2; "" for layers with names of another form.
std::string keras_layer(const std::string& name);

/// The sets of a file that may be this network: where its first convolution is.
std::vector<TensorSet> possible_sets(const Network& network, const TensorSource& source,
                                     const TensorNames& names);

/// The tensors of one convolution.
struct LayerTensors {
  const NetworkLayer* layer = nullptr;
  KernelParts kernel;
  std::optional<NormParts> norm;
  KernelLayout layout;
};

struct NetworkMatch {
  TensorSet set;
  std::vector<LayerTensors> layers;     ///< of the convolutions that are complete
  std::vector<std::string> problems;    ///< missing and misshapen tensors, one line each
  std::vector<std::string> objections;  ///< what would make the features other ones, one line each
  std::vector<std::string> left_over;   ///< names of tensors that the network does not use
};

NetworkMatch match_network(const Network& network, const TensorSource& source, const TensorNames& names,
                           const TensorSet& set);

}  // namespace gramflow
