#include "nodes/networks/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <set>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "framework/base/text.h"
#include "nodes/networks/convention_text.h"
#include "nodes/networks/fold_weights.h"
#include "nodes/weights/safetensors.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

void check_tensor(const SafetensorsFile& file, const std::string& layer, const std::string& name,
                  const std::vector<std::int64_t>& shape) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end()) {
    std::vector<std::string> names;
    for (const auto& [known, info] : file.tensors()) names.push_back(known);
    const std::string hint = did_you_mean(name, names);
    constexpr std::size_t most_shown = 40;
    const std::size_t left_out = names.size() - std::min(names.size(), most_shown);
    names.resize(names.size() - left_out);
    throw RunError(fmt::format("{}: layer '{}' needs a tensor '{}', which is not there{}; the file has {}{}",
                               file.path(), layer, name, hint.empty() ? "" : " (" + hint + ")",
                               names.empty() ? "no tensors" : fmt::format("{}", fmt::join(names, ", ")),
                               left_out > 0 ? fmt::format(" and {} more", left_out) : ""));
  }
  if (found->second.shape != shape)
    throw RunError(fmt::format("{}: tensor '{}' has the shape [{}]; layer '{}' needs [{}]", file.path(), name,
                               fmt::join(found->second.shape, ", "), layer, fmt::join(shape, ", ")));
  if (found->second.type == StoredType::other)
    throw RunError(fmt::format("{}: tensor '{}' is of type {}; F64, F32, F16 and BF16 are read", file.path(),
                               name, found->second.type_name));
}

/// What the file says of itself, where it says anything, must be what the network says.
void check_metadata(const Network& network, const SafetensorsFile& file) {
  const auto& metadata = file.metadata();
  if (const auto known = metadata.find("network");
      known != metadata.end() && known->second != network.weights_of)
    throw RunError(
        fmt::format("{}: these are weights of the network '{}', but {} wants those of '{}'\n"
                    "  use network: {}, or say weights: {{network: {}}} in a network file of your own",
                    file.path(), known->second, network.file.empty() ? network.name : network.file,
                    network.weights_of, known->second, known->second));
  const auto known = metadata.find("convention");
  if (known == metadata.end()) return;
  const std::optional<InputConvention> convention = parse_convention(known->second);
  if (!convention)
    throw RunError(file.path() + ": its metadata 'convention' cannot be understood: " + known->second);
  const InputConvention& expected = network.trained_input();
  if (*convention != expected)
    throw RunError(
        fmt::format("{}: these weights want another input than the network gives\n"
                    "  the weights: {}\n  network '{}': {}",
                    file.path(), convention_text(*convention), network.name, convention_text(expected)));
}

/// A file that import made holds what the network uses, folded; another may hold more. What has a number for
/// each channel of a layer (a norm, a PReLU) would change it, and a run does not apply it.
void check_unused(const Network& network, const SafetensorsFile& file) {
  if (const auto made = file.metadata().find("converter");
      made != file.metadata().end() && made->second.starts_with("gramflow"))
    return;
  std::set<std::string> used;
  std::set<std::int64_t> channels;
  std::string strange;
  for (const NetworkLayer& layer : network.layers) {
    if (layer.kind != NetworkLayer::Kind::convolution) continue;
    used.insert(layer.weight_tensor);
    used.insert(layer.bias_tensor);
    channels.insert(layer.out_channels);
    if (!layer.norm.empty() && strange.empty())
      strange = fmt::format("the norm '{}' of layer '{}' is not folded", layer.norm, layer.name);
  }
  for (const auto& [name, info] : file.tensors()) {
    const bool is_vector =
        std::count_if(info.shape.begin(), info.shape.end(), [](std::int64_t side) { return side != 1; }) <= 1;
    if (!strange.empty() || used.contains(name) || info.type == StoredType::other || !is_vector) continue;
    if (std::any_of(network.ignored_names.begin(), network.ignored_names.end(),
                    [&, &name = name](const std::string& begin) { return name.starts_with(begin); }))
      continue;
    if (name.ends_with(".bias")) {
      const auto kernel = file.tensors().find(name.substr(0, name.size() - 4) + "weight");
      if (kernel != file.tensors().end() && kernel->second.shape.size() >= 2) continue;
    }
    if (channels.contains(info.elements()))
      strange =
          fmt::format("'{}' has a number for each channel of a layer and may change it", printable(name));
  }
  if (!strange.empty())
    throw RunError(
        fmt::format("{}: {}\n  import understands norms and asks about the rest: gramflow weights import {} "
                    "--network {} -o FILE",
                    file.path(), strange, file.path(), network.file.empty() ? network.name : network.file));
}

void check(const Network& network, const SafetensorsFile& file) {
  check_metadata(network, file);
  check_unused(network, file);
  for (const NetworkLayer& layer : network.layers) {
    if (layer.kind != NetworkLayer::Kind::convolution) continue;
    check_tensor(file, layer.name, layer.weight_tensor,
                 {layer.out_channels, layer.in_channels, layer.kernel, layer.kernel});
    if (!layer.no_bias || file.tensors().contains(layer.bias_tensor))
      check_tensor(file, layer.name, layer.bias_tensor, {layer.out_channels});
  }
}

ConvolutionWeights read_convolution(const NetworkLayer& layer, const SafetensorsFile& file) {
  ConvolutionWeights numbers{file.read(layer.weight_tensor), {}};
  if (!layer.no_bias || file.tensors().contains(layer.bias_tensor))
    numbers.bias = file.read(layer.bias_tensor);
  else
    numbers.bias.assign(static_cast<std::size_t>(layer.out_channels), 0.0F);
  fold_weights(layer, numbers);
  return numbers;
}

}  // namespace

std::string locate_weights(const Network& network, const NetworkPaths& paths) {
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
    if (fs::exists(candidate, ignored) && !fs::is_directory(candidate, ignored)) return candidate.string();
    const std::string text = candidate.lexically_normal().string();
    if (std::find(looked.begin(), looked.end(), text) == looked.end()) looked.push_back(text);
  }
  std::string message =
      fmt::format("the weights of network '{}' are missing: {}\n", network.name, network.weights_file);
  for (const std::string& place : looked) message += "  looked for " + place + "\n";
  if (!network.downloads.empty())
    message += fmt::format("  to download them: gramflow weights get {}\n", network.name);
  message +=
      fmt::format("  to convert a file that you have: gramflow weights import FILE -o {}\n", looked.back());
  message += "  another folder to look in: GRAMFLOW_PATH=FOLDER";
  if (network.name != "vgg19-mini") message += "\n  without any download: network vgg19-mini";
  throw MissingResource(message);
}

void check_weights(const Network& network, const std::string& path) { check(network, SafetensorsFile(path)); }

std::shared_ptr<const NetworkWeights> load_weights(const Network& network, const std::string& path,
                                                   std::string_view last_layer) {
  const SafetensorsFile file(path);
  check(network, file);
  auto weights = std::make_shared<NetworkWeights>();
  weights->file = path;
  for (const NetworkLayer& layer : network.layers) {
    if (layer.kind == NetworkLayer::Kind::convolution)
      weights->convolutions[layer.name] = read_convolution(layer, file);
    if (layer.name == last_layer) break;
  }
  return weights;
}

ConvolutionWeights load_convolution(const NetworkLayer& layer, const std::string& path) {
  return read_convolution(layer, SafetensorsFile(path));
}

ConvolutionWeights random_convolution(const NetworkLayer& layer, std::uint64_t seed) {
  std::seed_seq name(layer.name.begin(), layer.name.end());
  std::mt19937_64 generator(name);
  generator.seed(generator() + seed);
  const auto uniform = [&] { return 2.0 * static_cast<double>(generator() >> 11) * 0x1.0p-53 - 1.0; };
  const double fan_in = static_cast<double>(layer.in_channels) * layer.kernel * layer.kernel;
  ConvolutionWeights made;
  made.weights.resize(static_cast<std::size_t>(fan_in) * static_cast<std::size_t>(layer.out_channels));
  made.bias.resize(static_cast<std::size_t>(layer.out_channels));
  for (float& value : made.weights) value = static_cast<float>(uniform() * std::sqrt(6.0 / fan_in));
  for (float& value : made.bias) value = static_cast<float>(0.1 * uniform());
  return made;
}

std::shared_ptr<const NetworkWeights> random_weights(const Network& network, std::uint64_t seed) {
  auto weights = std::make_shared<NetworkWeights>();
  for (const NetworkLayer& layer : network.layers)
    if (layer.kind == NetworkLayer::Kind::convolution)
      weights->convolutions[layer.name] = random_convolution(layer, seed);
  return weights;
}

}  // namespace gramflow
