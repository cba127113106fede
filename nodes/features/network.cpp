// Reading a network's YAML: its keys are declared parameters like those of nodes, so the mistakes are told in the same words.
#include "nodes/features/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "framework/base/text.h"
#include "framework/schema/parameters.h"

namespace gramflow {

inline auto enum_names(ChannelOrder) {
  return std::vector<std::pair<std::string, ChannelOrder>>{{"rgb", ChannelOrder::rgb}, {"bgr", ChannelOrder::bgr}};
}
namespace cpu {
inline auto enum_names(Border) {
  return std::vector<std::pair<std::string, Border>>{{"zero", Border::zero}, {"reflect", Border::reflect}, {"replicate", Border::replicate}};
}
inline auto enum_names(PoolKind) {
  return std::vector<std::pair<std::string, PoolKind>>{{"max", PoolKind::max}, {"average", PoolKind::average}};
}
}  // namespace cpu

namespace {

struct InputParameters {
  ChannelOrder order = ChannelOrder::rgb;
  double scale = 1;
  std::vector<double> mean;
  std::vector<double> std;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, InputParameters& parameters) {
  visitor("order", parameters.order, "order of the channels");
  visitor("scale", parameters.scale, "what a picture's values of 0 to 1 are multiplied by", more_than(0.0));
  visitor("mean", parameters.mean, "subtracted then; red, green, blue", required());
  visitor("std", parameters.std, "divided by at last; red, green, blue");
}

struct DownloadParameters {
  std::string url;
  std::string md5;
  std::string sha256_prefix;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, DownloadParameters& parameters) {
  visitor("url", parameters.url, "address", required(), not_empty());
  visitor("md5", parameters.md5, "checksum of the file, in hexadecimal");
  visitor("sha256_prefix", parameters.sha256_prefix, "first digits of the file's SHA-256, in hexadecimal");
}

struct WeightsParameters {
  std::string file;
  std::vector<DownloadParameters> downloads;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, WeightsParameters& parameters) {
  visitor("file", parameters.file, "safetensors file, looked for beside this file and in the user's cache", required(), not_empty());
  visitor("downloads", parameters.downloads, "where the weights can be had, best first");
}

struct LayerParameters {
  std::optional<std::string> conv;
  std::optional<std::string> pool;
  std::optional<int> in;
  std::optional<int> out;
  int kernel = 3;
  std::optional<int> padding;
  bool relu = true;
  std::string weight;
  std::string bias;
  cpu::PoolKind kind = cpu::PoolKind::max;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, LayerParameters& parameters) {
  visitor("conv", parameters.conv, "name of a convolution", not_empty());
  visitor("pool", parameters.pool, "name of a 2x2 pooling", not_empty());
  visitor("in", parameters.in, "channels coming in", at_least(1), at_most(65536));
  visitor("out", parameters.out, "channels going out", at_least(1), at_most(65536));
  visitor("kernel", parameters.kernel, "side of the filter, odd", at_least(1), at_most(31));
  visitor("padding", parameters.padding, "on each side; default: half of the kernel", at_least(0), at_most(15));
  visitor("relu", parameters.relu, "a ReLU follows, named relu... after conv...");
  visitor("weight", parameters.weight, "its tensor in the weights file; default: NAME.weight");
  visitor("bias", parameters.bias, "its tensor in the weights file; default: NAME.bias");
  visitor("kind", parameters.kind, "of pooling");
}

struct NetworkParameters {
  std::string name;
  std::string summary;
  InputParameters input;
  cpu::Border padding = cpu::Border::zero;
  WeightsParameters weights;
  std::vector<LayerParameters> layers;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, NetworkParameters& parameters) {
  visitor("name", parameters.name, "what pipelines call it", required(), not_empty());
  visitor("summary", parameters.summary, "one sentence");
  visitor("input", parameters.input, "what its input numbers are", required());
  visitor("padding", parameters.padding, "what lies outside of a convolution's input");
  visitor("weights", parameters.weights, "where its numbers are", required());
  visitor("layers", parameters.layers, "a chain from the input", required(), not_empty());
}

std::string relu_name(const std::string& conv) { return conv.starts_with("conv") ? "relu" + conv.substr(4) : conv + "_relu"; }

class Builder {
 public:
  Builder(const NetworkParameters& parameters, const Value& root, Diagnostics& diagnostics)
      : parameters_(parameters), root_(root), diagnostics_(diagnostics) {}

  Network run() {
    network_.name = parameters_.name;
    network_.summary = parameters_.summary;
    network_.border = parameters_.padding;
    network_.weights_file = parameters_.weights.file;
    for (const DownloadParameters& download : parameters_.weights.downloads)
      network_.downloads.push_back({download.url, download.md5, download.sha256_prefix});
    add_input();
    const Entry* list = root_.find("layers");
    const Value::List* items = list == nullptr ? nullptr : list->value->list();
    for (std::size_t i = 0; i < parameters_.layers.size() && items != nullptr && i < items->size(); ++i)
      add_layer(parameters_.layers[i], *(*items)[i]);
    return std::move(network_);
  }

 private:
  void add_input() {
    const InputParameters& input = parameters_.input;
    network_.input.order = input.order;
    network_.input.scale = input.scale;
    const auto copy = [&](const std::vector<double>& from, std::array<double, 3>& to, const char* key) {
      if (from.empty()) return;
      const Entry* entry = root_.find("input")->value->find(key);
      if (from.size() != 3)
        diagnostics_.error("wrong-type", entry->value->span, fmt::format("'input.{}' takes three numbers (red, green, blue), found {}", key, from.size()));
      else
        std::copy(from.begin(), from.end(), to.begin());
      if (std::string_view(key) == "std" && std::find(from.begin(), from.end(), 0.0) != from.end())
        diagnostics_.error("out-of-range", entry->value->span, "'input.std' must not be 0: the network's numbers are divided by it");
    };
    copy(input.mean, network_.input.mean, "mean");
    copy(input.std, network_.input.std, "std");
  }

  void add_layer(const LayerParameters& layer, const Value& where) {
    if (layer.conv.has_value() == layer.pool.has_value()) {
      diagnostics_.error("bad-layer", where.span, "a layer is either a 'conv' or a 'pool', by its name").suggest("{conv: conv1_1, in: 3, out: 64} or {pool: pool1, kind: max}");
      return;
    }
    if (layer.pool) {
      NetworkLayer made;
      made.kind = NetworkLayer::Kind::pool;
      made.name = *layer.pool;
      made.pool = layer.kind;
      push(std::move(made), where);
      return;
    }
    if (!layer.in || !layer.out) {
      diagnostics_.error("bad-layer", where.span, "convolution '" + *layer.conv + "' has no '" + (layer.in ? "out" : "in") + "': its channels");
      return;
    }
    if (*layer.in != channels_)
      diagnostics_.error("bad-layer", where.span, fmt::format("'{}' takes {} channels, but {} come out of what is before it", *layer.conv, *layer.in, channels_));
    if (layer.kernel % 2 == 0) diagnostics_.error("bad-layer", where.span, fmt::format("the kernel of '{}' must be odd, found {}", *layer.conv, layer.kernel));
    channels_ = *layer.out;
    NetworkLayer made;
    made.name = *layer.conv;
    made.in_channels = *layer.in;
    made.out_channels = *layer.out;
    made.kernel = layer.kernel;
    made.padding = layer.padding.value_or(layer.kernel / 2);
    made.weight_tensor = layer.weight.empty() ? made.name + ".weight" : layer.weight;
    made.bias_tensor = layer.bias.empty() ? made.name + ".bias" : layer.bias;
    push(std::move(made), where);
    if (!layer.relu) return;
    NetworkLayer relu;
    relu.kind = NetworkLayer::Kind::relu;
    relu.name = relu_name(*layer.conv);
    push(std::move(relu), where);
  }

  void push(NetworkLayer layer, const Value& where) {
    if (network_.find(layer.name) >= 0) diagnostics_.error("duplicate-layer", where.span, "there are two layers named '" + layer.name + "'");
    network_.layers.push_back(std::move(layer));
  }

  const NetworkParameters& parameters_;
  const Value& root_;
  Diagnostics& diagnostics_;
  Network network_;
  int channels_ = 3;
};

std::shared_ptr<const Network> read_network(const std::string& path, Diagnostics& diagnostics) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  const auto source = std::make_shared<SourceFile>(path, text.str());
  const std::size_t errors = diagnostics.error_count();
  if (!file) {
    diagnostics.error("network-file", {source, {}, {}}, "the network file cannot be read");
    return nullptr;
  }
  const ValuePtr root = parse_yaml(source, diagnostics);
  if (!root || diagnostics.error_count() > errors) return nullptr;
  if (root->map() == nullptr) {
    diagnostics.error("wrong-type", root->span, "a network file is a map with name, input, weights and layers; found " + root->describe());
    return nullptr;
  }
  static const ParameterSchema schema = ParameterSchema::of<NetworkParameters>();
  const std::any decoded = schema.decode(*root->map(), {}, root->span, "the network", diagnostics);
  if (diagnostics.error_count() > errors) return nullptr;
  auto network = std::make_shared<Network>(Builder(*std::any_cast<NetworkParameters>(&decoded), *root, diagnostics).run());
  network->file = path;
  return diagnostics.error_count() > errors ? nullptr : network;
}

std::vector<std::string> shipped_names(const NetworkPaths& paths) {
  std::set<std::string> names;
  for (const std::string& folder : paths.network_folders) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
      if (entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

}  // namespace

int Network::find(std::string_view layer) const {
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (layers[i].name == layer) return static_cast<int>(i);
  return -1;
}

std::vector<std::string> Network::layer_names() const {
  std::vector<std::string> names;
  for (const NetworkLayer& layer : layers) names.push_back(layer.name);
  return names;
}

std::shared_ptr<const Network> load_network(const std::string& name, const std::string& directory, const NetworkPaths& paths, Span where,
                                            Diagnostics& diagnostics) {
  const bool is_path = name.ends_with(".yaml") || name.ends_with(".yml") || name.find('/') != std::string::npos;
  std::error_code ignored;
  if (is_path) {
    for (const std::filesystem::path& candidate : {std::filesystem::path(directory) / name, std::filesystem::path(name)})
      if (std::filesystem::is_regular_file(candidate, ignored)) return read_network(candidate.string(), diagnostics);
    diagnostics.error("unknown-network", std::move(where), "there is no network file '" + name + "'").suggest("a path is relative to the pipeline's folder or the current one");
    return nullptr;
  }
  for (const std::string& folder : paths.network_folders) {
    const std::filesystem::path candidate = std::filesystem::path(folder) / (name + ".yaml");
    if (std::filesystem::is_regular_file(candidate, ignored)) return read_network(candidate.string(), diagnostics);
  }
  const std::vector<std::string> names = shipped_names(paths);
  const std::string hint = did_you_mean(name, names);
  Diagnostic& diagnostic = diagnostics.error("unknown-network", std::move(where), "there is no network '" + name + "'");
  diagnostic.suggest(!hint.empty() ? hint : names.empty() ? "" : "there are " + join_words(names));
  for (const std::string& folder : paths.network_folders) diagnostic.note("looked in " + folder);
  return nullptr;
}

}  // namespace gramflow
