#pragma once
// The numbers of a network.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/networks/network.h"

namespace gramflow {

/// One convolution's weights: OIHW and one bias an output channel.
struct ConvolutionWeights {
  std::vector<float> weights;
  std::vector<float> bias;
};

/// Immutable; shared by every stage and node that uses the network.
struct NetworkWeights {
  std::string file;
  std::map<std::string, ConvolutionWeights> convolutions;  ///< by layer name ("conv1_1")
};

/// The file's path. MissingResource when it is nowhere: the name, every place looked in, and what to do.
std::string locate_weights(const Network& network, const NetworkPaths& paths);
/// Header only: throws RunError (naming the file) for a damaged file, a missing tensor or a wrong shape.
/// Reads no weights.
void check_weights(const Network& network, const std::string& path);
/// Reads the convolutions up to and including layer `last_layer` ("" = all).
std::shared_ptr<const NetworkWeights> load_weights(const Network& network, const std::string& path,
                                                   std::string_view last_layer = "");
/// Reads one convolution of a file that check_weights() was content with.
ConvolutionWeights load_convolution(const NetworkLayer& layer, const std::string& path);
/// Seeded Kaiming-uniform weights of one convolution; another layer is another stream.
ConvolutionWeights random_convolution(const NetworkLayer& layer, std::uint64_t seed);
/// Seeded Kaiming-uniform weights with 0.1 biases, for benchmarks.
std::shared_ptr<const NetworkWeights> random_weights(const Network& network, std::uint64_t seed);

}  // namespace gramflow
