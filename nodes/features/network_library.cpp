#include "nodes/features/network_library.h"

#include "framework/base/error.h"

namespace gramflow {

std::shared_ptr<const Network> NetworkLibrary::network(const std::string& name, const std::string& directory,
                                                       Span where, Diagnostics& diagnostics) {
  const std::string key = directory + "\n" + name;
  if (const auto known = networks_.find(key); known != networks_.end()) return known->second;
  std::shared_ptr<const Network> network =
      load_network(name, directory, paths_, std::move(where), diagnostics);
  if (network) networks_[key] = network;
  return network;
}

std::string NetworkLibrary::weights_file(const Network& network) {
  const auto known = weights_files_.find(&network);
  if (known != weights_files_.end()) return known->second;
  std::string file;
  try {
    file = locate_weights(network, paths_);
    check_weights(network, file);
  } catch (const MissingResource&) {
    if (!random_seed_) throw;
  }
  return weights_files_[&network] = file;
}

std::vector<std::shared_ptr<const Network>> NetworkLibrary::all() {
  std::vector<std::shared_ptr<const Network>> found;
  for (const std::string& name : shipped_networks(paths_)) {
    Diagnostics ignored;
    if (auto read = network(name, ".", {}, ignored)) found.push_back(std::move(read));
  }
  return found;
}

std::shared_ptr<FilterSource> NetworkLibrary::filter(const std::shared_ptr<const Network>& network,
                                                     const NetworkLayer& layer, cpu::Border border) {
  const std::string file = weights_file(*network);
  std::shared_ptr<FilterSource>& filter = filters_[{network.get(), layer.name, border}];
  if (filter) return filter;
  cpu::Filter shape;
  shape.in_channels = layer.in_channels;
  shape.out_channels = layer.out_channels;
  shape.kernel = layer.kernel;
  shape.padding = layer.padding;
  shape.border = border;
  // Read layer by layer when it is packed, so that the raw numbers of a network are never in memory together.
  filter = std::make_shared<FilterSource>(shape, method_, [layer, file, seed = random_seed_.value_or(0)] {
    auto weights = std::make_shared<const ConvolutionWeights>(file.empty() ? random_convolution(layer, seed)
                                                                           : load_convolution(layer, file));
    return FilterSource::Weights{weights->weights.data(), weights->bias.data(), weights};
  });
  return filter;
}

}  // namespace gramflow
