#include "nodes/networks/network_library.h"

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

const NetworkLibrary::Weights& NetworkLibrary::weights_of(const Network& network) {
  const auto known = weights_.find(&network);
  if (known != weights_.end()) return known->second;
  Weights weights;
  try {
    weights.file = locate_weights(network, paths_);
    check_weights(network, weights.file);
  } catch (const MissingResource& problem) {
    weights.file.clear();
    if (!random_seed_) weights.missing = problem.what();
  }
  return weights_[&network] = weights;
}

std::string NetworkLibrary::missing_weights(const Network& network) { return weights_of(network).missing; }

std::vector<std::shared_ptr<const Network>> NetworkLibrary::all() {
  std::vector<std::shared_ptr<const Network>> found;
  for (const std::string& name : shipped_networks(paths_)) {
    Diagnostics ignored;
    if (auto read = network(name, ".", {}, ignored)) found.push_back(std::move(read));
  }
  return found;
}

std::shared_ptr<const FilterSource> NetworkLibrary::filter(const std::shared_ptr<const Network>& network,
                                                           const NetworkLayer& layer, Border border) {
  const Weights weights = weights_of(*network);
  std::shared_ptr<const FilterSource>& filter = filters_[{network.get(), layer.name, border}];
  if (filter) return filter;
  FilterShape shape;
  shape.in_channels = layer.in_channels;
  shape.out_channels = layer.out_channels;
  shape.kernel = layer.kernel;
  shape.padding = layer.padding;
  shape.border = border;
  // Read layer by layer when it is packed, so that the raw numbers of a network are never in memory together.
  filter = std::make_shared<const FilterSource>(shape, [layer, weights, seed = random_seed_.value_or(0)] {
    if (!weights.missing.empty()) throw MissingResource(weights.missing);
    auto read = std::make_shared<const ConvolutionWeights>(
        weights.file.empty() ? random_convolution(layer, seed) : load_convolution(layer, weights.file));
    return FilterSource::Taps{read->weights.data(), read->bias.data(), read};
  });
  return filter;
}

}  // namespace gramflow
