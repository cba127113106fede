// For each convolution the name and the shape of its tensors follow from the network; they are looked up in
// the file. A kernel that Keras wrote is HWIO, all others are OIHW. torchvision's numbers are positions in a
// list of modules, which the network's layers repeat one by one, except that a batch norm after a convolution
// takes a position, too.
#include "nodes/features/import/tensor_naming.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <set>

#include "nodes/features/printable.h"

namespace gramflow {
namespace {

constexpr std::string_view first_torchvision = "features.0.weight";

/// What stands before "features." in the names: "", "module.", "state_dict.module.".
std::optional<std::string> torchvision_prefix(const TensorSource& source) {
  std::optional<std::string> shortest;
  for (const SourceTensor& tensor : source.tensors()) {
    if (!tensor.name.ends_with(first_torchvision)) continue;
    std::string prefix = tensor.name.substr(0, tensor.name.size() - first_torchvision.size());
    if (!prefix.empty() && prefix.back() != '.') continue;
    if (!shortest || prefix.size() < shortest->size()) shortest = std::move(prefix);
  }
  return shortest;
}

/// "block1_conv2" for conv1_2; "" for layers with names of another form.
std::string keras_layer(const std::string& name) {
  int block = 0;
  int number = 0;
  char rest = 0;
  if (std::sscanf(name.c_str(), "conv%d_%d%c", &block, &number, &rest) != 2) return "";
  return fmt::format("block{}_conv{}", block, number);
}

bool has_component(const std::string& path, const std::string& component) {
  return ("/" + path + "/").find("/" + component + "/") != std::string::npos;
}

class Matcher {
 public:
  Matcher(const Network& network, const TensorSource& source, Naming naming)
      : network_(network), source_(source), naming_(naming) {
    const auto& tensors = source.tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i) by_name_[tensors[i].name] = i;
    prefix_ = torchvision_prefix(source).value_or("");
    has_batch_norms_ = by_name_.contains(prefix_ + "features.1.running_mean");
  }

  NetworkMatch run() {
    int position = 0;
    for (const NetworkLayer& layer : network_.layers) {
      if (layer.kind == NetworkLayer::Kind::convolution) {
        add(layer, position);
        if (has_batch_norms_) ++position;
      }
      ++position;
    }
    const auto& tensors = source_.tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (!used_.contains(i)) match_.left_over.push_back(tensors[i].name);
    return std::move(match_);
  }

 private:
  void add(const NetworkLayer& layer, int position) {
    LayerTensors found{&layer, 0, 0, {}};
    const std::size_t before = match_.problems.size();
    const std::vector<std::int64_t> oihw = {layer.out_channels, layer.in_channels, layer.kernel,
                                            layer.kernel};
    const std::vector<std::int64_t> one = {layer.out_channels};
    switch (naming_) {
      case Naming::own:
        found.weight = find(layer, layer.weight_tensor, oihw);
        found.bias = find(layer, layer.bias_tensor, one);
        break;
      case Naming::torchvision:
        found.weight = find(layer, module(position) + "weight", oihw);
        found.bias = find(layer, module(position) + "bias", one);
        if (has_batch_norms_) {
          found.batch_norm.emplace();
          constexpr std::array<const char*, 4> names = {"weight", "bias", "running_mean", "running_var"};
          for (std::size_t i = 0; i < 4; ++i)
            (*found.batch_norm)[i] = find(layer, module(position + 1) + names[i], one);
        }
        break;
      case Naming::keras:
        found.weight =
            find_keras(layer, 4, {layer.kernel, layer.kernel, layer.in_channels, layer.out_channels});
        found.bias = find_keras(layer, 1, one);
        break;
    }
    if (match_.problems.size() == before) match_.layers.push_back(found);
  }

  std::string module(int position) const { return fmt::format("{}features.{}.", prefix_, position); }

  std::size_t find(const NetworkLayer& layer, const std::string& name,
                   const std::vector<std::int64_t>& shape) {
    const auto known = by_name_.find(name);
    if (known != by_name_.end()) return use(layer, known->second, shape);
    match_.problems.push_back(fmt::format("'{}' (for {}) is missing", printable(name), layer.name));
    return 0;
  }

  /// The dataset with so many dimensions below the layer's group; names inside changed with Keras's versions.
  std::size_t find_keras(const NetworkLayer& layer, std::size_t rank,
                         const std::vector<std::int64_t>& shape) {
    const std::string group = keras_layer(layer.name);
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < source_.tensors().size(); ++i)
      if (!group.empty() && source_.tensors()[i].shape.size() == rank &&
          has_component(source_.tensors()[i].name, group))
        found.push_back(i);
    const char* what = rank == 4 ? "kernel" : "bias";
    if (found.size() == 1) return use(layer, found[0], shape);
    match_.problems.push_back(group.empty()
                                  ? fmt::format("layer '{}' has no name that Keras would give", layer.name)
                                  : fmt::format("{} of '{}' (for {}) {}", what, group, layer.name,
                                                found.empty() ? "is missing" : "is there more than once"));
    return 0;
  }

  std::size_t use(const NetworkLayer& layer, std::size_t index, const std::vector<std::int64_t>& shape) {
    const SourceTensor& tensor = source_.tensors()[index];
    used_.insert(index);
    if (tensor.shape != shape)
      match_.problems.push_back(fmt::format("'{}' has the shape [{}], but {} needs [{}]",
                                            printable(tensor.name), fmt::join(tensor.shape, ", "), layer.name,
                                            fmt::join(shape, ", ")));
    else if (tensor.type != "F16" && tensor.type != "BF16" && tensor.type != "F32" && tensor.type != "F64")
      match_.problems.push_back(fmt::format("'{}' is of type {}, which holds no real numbers",
                                            printable(tensor.name), tensor.type));
    return index;
  }

  const Network& network_;
  const TensorSource& source_;
  Naming naming_;
  std::map<std::string, std::size_t> by_name_;
  std::set<std::size_t> used_;
  std::string prefix_;
  bool has_batch_norms_ = false;
  NetworkMatch match_;
};

}  // namespace

std::optional<Naming> recognise_naming(const TensorSource& source) {
  bool own = false;
  for (const SourceTensor& tensor : source.tensors()) {
    if (source.format() == SourceFormat::keras && has_component(tensor.name, "block1_conv1"))
      return Naming::keras;
    own = own || tensor.name == "conv1_1.weight";
  }
  if (source.format() != SourceFormat::keras && torchvision_prefix(source)) return Naming::torchvision;
  return own ? std::optional(Naming::own) : std::nullopt;
}

NetworkMatch match_network(const Network& network, const TensorSource& source, Naming naming) {
  return Matcher(network, source, naming).run();
}

}  // namespace gramflow
