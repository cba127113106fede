#include "nodes/features/network_library.h"

#include "framework/base/error.h"

namespace gramflow {

/// Keeps nothing but a weak hold on what was read: the filters being packed one after the other share one reading, and the
/// raw numbers are gone when the last one is packed.
struct NetworkLibrary::Weights {
  std::shared_ptr<const Network> network;
  std::string file;
  std::optional<std::uint64_t> random_seed;
  std::shared_ptr<const NetworkWeights> read;
  int waiting = 0;  // filters that have not been read yet

  std::shared_ptr<const NetworkWeights> get() {
    if (!read) read = random_seed ? random_weights(*network, *random_seed) : load_weights(*network, file);
    std::shared_ptr<const NetworkWeights> result = read;
    if (waiting > 0 && --waiting == 0) read = nullptr;
    return result;
  }
};

std::shared_ptr<const Network> NetworkLibrary::network(const std::string& name, const std::string& directory, Span where,
                                                       Diagnostics& diagnostics) {
  const std::string key = directory + "\n" + name;
  if (const auto known = networks_.find(key); known != networks_.end()) return known->second;
  std::shared_ptr<const Network> network = load_network(name, directory, paths_, std::move(where), diagnostics);
  if (network) networks_[key] = network;
  return network;
}

std::shared_ptr<FilterSource> NetworkLibrary::filter(const std::shared_ptr<const Network>& network, const NetworkLayer& layer) {
  std::shared_ptr<Weights>& weights = weights_[network.get()];
  if (!weights) {
    auto made = std::make_shared<Weights>();
    made->network = network;
    try {
      made->file = locate_weights(*network, paths_);
      check_weights(*network, made->file);
    } catch (const MissingResource&) {
      if (!random_seed_) throw;
      made->random_seed = random_seed_;
    }
    weights = std::move(made);
  }
  std::shared_ptr<FilterSource>& filter = filters_[{network.get(), layer.name}];
  if (filter) return filter;
  cpu::Filter shape;
  shape.in_channels = layer.in_channels;
  shape.out_channels = layer.out_channels;
  shape.kernel = layer.kernel;
  shape.padding = layer.padding;
  shape.border = network->border;
  ++weights->waiting;
  filter = std::make_shared<FilterSource>(shape, method_, [weights, name = layer.name] {
    std::shared_ptr<const NetworkWeights> numbers = weights->get();
    const ConvolutionWeights& layer_weights = numbers->convolutions.at(name);
    return FilterSource::Weights{layer_weights.weights.data(), layer_weights.bias.data(), numbers};
  });
  return filter;
}

}  // namespace gramflow
