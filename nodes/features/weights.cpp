#include "nodes/features/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "nodes/features/safetensors.h"

namespace gramflow {
namespace {

void check_tensor(const SafetensorsFile& file, const std::string& layer, const std::string& name, const std::vector<std::int64_t>& shape) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end()) {
    std::vector<std::string> names;
    for (const auto& [known, info] : file.tensors()) names.push_back(known);
    const std::string hint = did_you_mean(name, names);
    if (names.size() > 12) {
      names.resize(12);
      names.push_back("...");
    }
    throw RunError(fmt::format("{}: layer '{}' needs a tensor '{}', which is not there; {}", file.path(), layer, name,
                               hint.empty() ? fmt::format("the file has {}", fmt::join(names, ", ")) : hint));
  }
  if (found->second.shape != shape)
    throw RunError(fmt::format("{}: tensor '{}' has the shape [{}]; layer '{}' needs [{}]", file.path(), name, fmt::join(found->second.shape, ", "), layer,
                               fmt::join(shape, ", ")));
}

std::vector<std::int64_t> weight_shape(const NetworkLayer& layer) { return {layer.out_channels, layer.in_channels, layer.kernel, layer.kernel}; }

void check(const Network& network, const SafetensorsFile& file) {
  const auto& metadata = file.metadata();
  if (const auto known = metadata.find("network"); known != metadata.end() && known->second != network.name)
    throw RunError(file.path() + ": these are weights of the network '" + known->second + "', not of '" + network.name + "'");
  for (const NetworkLayer& layer : network.layers) {
    if (layer.kind != NetworkLayer::Kind::convolution) continue;
    check_tensor(file, layer.name, layer.weight_tensor, weight_shape(layer));
    check_tensor(file, layer.name, layer.bias_tensor, {layer.out_channels});
  }
}

}  // namespace

std::string locate_weights(const Network& network, const NetworkPaths& paths) {
  namespace fs = std::filesystem;
  std::vector<fs::path> candidates;
  const fs::path file(network.weights_file);
  if (file.is_absolute()) {
    candidates.push_back(file);
  } else {
    candidates.push_back(fs::path(network.file).parent_path() / file);
    for (const std::string& folder : paths.weight_folders) candidates.push_back(fs::path(folder) / file);
  }
  std::vector<std::string> looked;
  for (const fs::path& candidate : candidates) {
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) return candidate.string();
    const std::string text = candidate.lexically_normal().string();
    if (std::find(looked.begin(), looked.end(), text) == looked.end()) looked.push_back(text);
  }
  std::string message = fmt::format("the weights of network '{}' are not here: {}\n", network.name, network.weights_file);
  for (const std::string& place : looked) message += "  looked for " + place + "\n";
  if (!network.downloads.empty()) message += fmt::format("  download them: gramflow weights get {}\n", network.name);
  message += fmt::format("  or convert a file that you have: gramflow weights import FILE -o {}\n", looked.back());
  message += "  or use the network that needs no download: network: vgg19-mini";
  throw MissingResource(message);
}

void check_weights(const Network& network, const std::string& path) { check(network, SafetensorsFile(path)); }

std::shared_ptr<const NetworkWeights> load_weights(const Network& network, const std::string& path, std::string_view last_layer) {
  const SafetensorsFile file(path);
  check(network, file);
  auto weights = std::make_shared<NetworkWeights>();
  weights->file = path;
  for (const NetworkLayer& layer : network.layers) {
    if (layer.kind == NetworkLayer::Kind::convolution)
      weights->convolutions[layer.name] = {file.read(layer.weight_tensor), file.read(layer.bias_tensor)};
    if (layer.name == last_layer) break;
  }
  return weights;
}

std::shared_ptr<const NetworkWeights> random_weights(const Network& network, std::uint64_t seed) {
  auto weights = std::make_shared<NetworkWeights>();
  std::mt19937_64 generator(seed);
  const auto uniform = [&] { return 2.0 * static_cast<double>(generator() >> 11) * 0x1.0p-53 - 1.0; };
  for (const NetworkLayer& layer : network.layers) {
    if (layer.kind != NetworkLayer::Kind::convolution) continue;
    ConvolutionWeights& made = weights->convolutions[layer.name];
    const double fan_in = static_cast<double>(layer.in_channels) * layer.kernel * layer.kernel;
    made.weights.resize(static_cast<std::size_t>(fan_in) * static_cast<std::size_t>(layer.out_channels));
    made.bias.resize(static_cast<std::size_t>(layer.out_channels));
    for (float& value : made.weights) value = static_cast<float>(uniform() * std::sqrt(6.0 / fan_in));
    for (float& value : made.bias) value = static_cast<float>(0.1 * uniform());
  }
  return weights;
}

}  // namespace gramflow
