// For each convolution the module follows from the network and the naming; its parts are looked up in the
// file. torchvision's numbers are positions in a list of modules, which the network's layers repeat one by
// one, except that a batch norm after a convolution takes a position, too. What the network's file names is
// that and nothing else.
#include "nodes/import/tensor_naming.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "framework/base/printable.h"
#include "nodes/import/surplus.h"

namespace gramflow {
namespace {

bool is_convolution(const NetworkLayer& layer) { return layer.kind == NetworkLayer::Kind::convolution; }

class Matcher {
 public:
  Matcher(const Network& network, const TensorSource& source, const TensorNames& names, const TensorSet& set)
      : network_(network), source_(source), names_(names), set_(set), chain_(source.chain()) {
    match_.set = set;
  }

  NetworkMatch run() {
    for (const NetworkLayer& layer : network_.layers) {
      if (is_convolution(layer)) add(layer);
      pools_ = is_convolution(layer) ? 0 : pools_ + (layer.kind == NetworkLayer::Kind::pool ? 1 : 0);
      ++position_;
    }
    judge_extras();
    judge_surplus(network_, source_, names_, used_, position_, match_);
    for (std::size_t i = 0; i < source_.tensors().size(); ++i)
      if (!used_.contains(i)) match_.left_over.push_back(source_.tensors()[i].name);
    return std::move(match_);
  }

 private:
  void problem(std::string text) { match_.problems.push_back(std::move(text)); }
  void object(std::string text) { match_.objections.push_back(std::move(text)); }
  std::string shown(std::size_t index) const { return "'" + printable(source_.tensors()[index].name) + "'"; }

  void add(const NetworkLayer& layer) {
    const std::size_t before = match_.problems.size();
    LayerTensors found;
    found.layer = &layer;
    std::string module;
    if (!find_kernel(layer, found.kernel, module)) {
      ++count_;
      return;
    }
    const LayerFacts facts = source_.facts(found.kernel.weight);
    if (!facts.trouble.empty())
      object(fmt::format("the layer of {} (for {}) {}, which a network file cannot express",
                         shown(found.kernel.weight), layer.name, facts.trouble));
    if (facts.padding && *facts.padding != layer.padding)
      object(fmt::format("the layer of {} pads by {}, but {} by {}: say padding: {} at the layer",
                         shown(found.kernel.weight), *facts.padding, layer.name, layer.padding,
                         *facts.padding));
    find_norm(layer, facts, found);
    find_bias(layer, facts, found);
    check_kernel(layer, found);
    for (const std::size_t index : found.kernel.extra) extras_.emplace_back(index, layer.name);
    ++count_;
    if (match_.problems.size() == before) match_.layers.push_back(std::move(found));
  }

  std::string module_of(const NetworkLayer& layer) const {
    switch (set_.naming) {
      case Naming::own:
        return layer.name;
      case Naming::torchvision:
        return fmt::format("features.{}", position_);
      case Naming::keras:
        return keras_layer(layer.name);
      case Naming::counted:
        return count_ == 0 ? "conv2d" : fmt::format("conv2d_{}", count_);
      case Naming::chain:
        break;
    }
    return layer.name;
  }

  /// False after saying what is missing.
  bool find_kernel(const NetworkLayer& layer, KernelParts& kernel, std::string& module) {
    if (layer.weight_given) return find_given(layer, kernel, module);
    if (set_.naming == Naming::chain) return find_link(layer, kernel, module);
    const std::string plain = module_of(layer);
    if (plain.empty()) {
      problem(fmt::format("layer '{}' has no name that Keras would give", layer.name));
      return false;
    }
    module = set_.prefix + plain;
    kernel = kernel_parts(source_, names_, module);
    if (kernel.weight != TensorNames::npos) return true;
    if (set_.naming == Naming::keras || set_.naming == Naming::counted)
      problem(fmt::format("kernel of '{}' (for {}) is missing", printable(module), layer.name));
    else if (const std::vector<std::size_t> parts = names_.parts(module); !parts.empty())
      problem(fmt::format("'{}' is {} where {} should be", printable(module), kind_of_module(names_, parts),
                          layer.name));
    else
      missing(module + ".weight", layer);
    return false;
  }

  void missing(const std::string& name, const NetworkLayer& layer) {
    problem(fmt::format("'{}' (for {}) is missing", printable(name), layer.name));
  }

  bool find_given(const NetworkLayer& layer, KernelParts& kernel, std::string& module) {
    const std::size_t exact = find_name(layer.weight_tensor);
    if (exact == TensorNames::npos) {
      for (const std::string& name : {set_.prefix + layer.weight_tensor, clean_name(layer.weight_tensor)}) {
        kernel = kernel_parts(source_, names_, name);
        module = name;
        if (kernel.weight != TensorNames::npos) return true;
      }
      missing(layer.weight_tensor, layer);
      return false;
    }
    take_exactly(exact, kernel, module);
    return true;
  }

  /// The convolution that the model applies at this place.
  bool find_link(const NetworkLayer& layer, KernelParts& kernel, std::string& module) {
    const auto place = static_cast<std::size_t>(count_);
    if (place >= chain_.size()) {
      problem(fmt::format("the model has no convolution for {}: it applies {} one after the other",
                          layer.name, chain_.size()));
      return false;
    }
    const ChainLink& link = chain_[place];
    if (link.pools != pools_)
      problem(fmt::format("{} (for {}) comes behind {} pools of 2x2, where {} should be", shown(link.kernel),
                          layer.name, link.pools, pools_));
    take_exactly(link.kernel, kernel, module);
    return true;
  }

  void take_exactly(std::size_t exact, KernelParts& kernel, std::string& module) const {
    module = split_name(names_.clean(exact)).module;
    kernel = kernel_parts(source_, names_, module);
    // Flat names, or a module with several kernels: the siblings are not this convolution's.
    const std::vector<std::size_t> parts = names_.parts(module);
    const auto kernels = std::count_if(parts.begin(), parts.end(),
                                       [&](std::size_t i) { return source_.tensors()[i].shape.size() == 4; });
    if (module.empty() || (kernels > 1 && kernel.weight != exact) || kernel.weight != exact) {
      kernel = {};
      kernel.weight = exact;
    }
  }

  /// As the user wrote it, below the set's prefix or from the root.
  std::size_t find_name(const std::string& name) const {
    const std::size_t below =
        set_.prefix.empty() ? TensorNames::npos : names_.find(set_.prefix + clean_name(name));
    if (below != TensorNames::npos) return below;
    if (const std::size_t exact = names_.find(name); exact != TensorNames::npos) return exact;
    return names_.find(clean_name(name));
  }

  void find_bias(const NetworkLayer& layer, const LayerFacts& facts, LayerTensors& found) {
    std::optional<std::size_t>& bias = found.kernel.bias;
    if (layer.bias_given) {
      const std::size_t given = find_name(layer.bias_tensor);
      if (given == TensorNames::npos) return missing(layer.bias_tensor, layer);
      if (bias && *bias != given) found.kernel.extra.push_back(*bias);
      bias = given;
    } else if (const std::size_t said = facts.bias.empty() ? TensorNames::npos : names_.find(facts.bias);
               said != TensorNames::npos) {
      bias = said;
    } else if (!bias) {
      if (const std::size_t named = find_name(layer.bias_tensor); named != TensorNames::npos) bias = named;
    }
    if (layer.no_bias && bias && !is_ours())
      object(fmt::format("{} is a bias of {}, for which the network's file says bias: none", shown(*bias),
                         layer.name));
    if (bias) {
      check_vector(layer, *bias);
      return;
    }
    if (layer.no_bias || facts.no_bias || found.norm) return;
    problem(fmt::format("'{}' (for {}) is missing; if the convolution has none: bias: none",
                        printable(bias_name(layer, found.kernel.weight)), layer.name));
  }

  bool is_ours() const { return source_.metadata("converter").starts_with("gramflow"); }

  /// What the bias should be called, for the message.
  std::string bias_name(const NetworkLayer& layer, std::size_t weight) const {
    const NamedPart part = split_name(names_.clean(weight));
    if (layer.weight_given || part.role != "weight") return layer.bias_tensor;
    return part.module + ".bias";
  }

  void find_norm(const NetworkLayer& layer, const LayerFacts& facts, LayerTensors& found) {
    std::string module;
    bool from_position = false;
    if (!layer.norm.empty()) {
      module = set_.prefix + layer.norm;
      if (names_.parts(module).empty()) module = clean_name(layer.norm);
      if (is_ours() && names_.parts(module).empty()) return;  // folded when import made the file
      if (facts.activated_inside)
        object(fmt::format("{} has its ReLU before the norm '{}', so that the norm cannot be folded into it",
                           layer.name, layer.norm));
    } else if (layer.no_norm) {
      return;
    } else if (!facts.norm.empty()) {
      module = facts.norm;
    } else if (set_.naming == Naming::torchvision) {
      module = fmt::format("{}features.{}", set_.prefix, position_ + 1);
      const std::vector<std::size_t> parts = names_.parts(module);
      from_position = std::any_of(parts.begin(), parts.end(), [&](std::size_t i) {
        const std::string role = split_name(names_.clean(i)).role;
        return role == "running_mean" || role == "running_var";
      });
      const bool stands_there = std::any_of(parts.begin(), parts.end(), [&](std::size_t i) {
        return is_real(source_.tensors()[i]) && is_vector(source_.tensors()[i]);
      });
      const bool is_layer = std::any_of(parts.begin(), parts.end(),
                                        [&](std::size_t i) { return !is_vector(source_.tensors()[i]); });
      if (!from_position && stands_there && !is_layer)
        problem(
            fmt::format("'{}' is {} between {} and its ReLU, or in the ReLU's place, and cannot be folded",
                        printable(module), kind_of_module(names_, parts), layer.name));
      if (!from_position) return;
      ++position_;
    }
    if (module.empty()) return;
    NormParts norm = norm_parts(source_, names_, module);
    if (layer.epsilon) norm.epsilon = layer.epsilon;
    if (!norm.trouble.empty())
      return problem(fmt::format("the norm '{}' of {} {}", printable(module), layer.name, norm.trouble));
    if (!norm.epsilon)
      problem(
          fmt::format("nothing says what the norm '{}' of {} adds to its variance; say epsilon: 1.0e-5 "
                      "(PyTorch, Caffe) or 1.0e-3 (Keras) at the layer",
                      printable(module), layer.name));
    for (const std::size_t index : {norm.mean, norm.variance}) check_vector(layer, index);
    for (const auto& index : {norm.scale, norm.shift})
      if (index) check_vector(layer, *index);
    if (norm.divisor) used_.insert(*norm.divisor);
    found.norm = std::move(norm);
  }

  void check_type(std::size_t index) {
    const SourceTensor& tensor = source_.tensors()[index];
    used_.insert(index);
    if (!is_real(tensor))
      problem(
          fmt::format("{} is of type {}, which holds no real numbers", shown(index), printable(tensor.type)));
  }

  void misshapen(const NetworkLayer& layer, std::size_t index, const std::vector<std::int64_t>& wanted) {
    problem(fmt::format("{} has the shape [{}], but {} needs [{}]", shown(index),
                        fmt::join(source_.tensors()[index].shape, ", "), layer.name,
                        fmt::join(wanted, ", ")));
  }

  void check_vector(const NetworkLayer& layer, std::size_t index) {
    check_type(index);
    const SourceTensor& tensor = source_.tensors()[index];
    if (!is_vector(tensor) || element_count(tensor) != layer.out_channels)
      misshapen(layer, index, {layer.out_channels});
  }

  void check_kernel(const NetworkLayer& layer, LayerTensors& found) {
    const std::size_t index = found.kernel.weight;
    check_type(index);
    if (!found.kernel.trouble.empty())
      problem(fmt::format("{} (for {}) {}", shown(index), layer.name, found.kernel.trouble));
    const SourceLayout said = source_.layout(index);
    const std::optional<KernelLayout> layout = network_.layout ? network_.layout : said.layout;
    const SourceTensor& tensor = source_.tensors()[index];
    if (!layout) {
      problem(fmt::format("{} (for {}, [{}]): {}", shown(index), layer.name, fmt::join(tensor.shape, ", "),
                          said.reason));
      return;
    }
    found.layout = *layout;
    const auto wanted = layout_shape(*layout, layer.out_channels, layer.in_channels, layer.kernel);
    if (tensor.shape != wanted) {
      misshapen(layer, index, wanted);
      for (const char* other : {"oihw", "hwio"})
        if (other != layout->axes &&
            tensor.shape == layout_shape({other, false}, layer.out_channels, layer.in_channels, layer.kernel))
          match_.problems.back() += fmt::format(
              "; in the order {} it would fit: say layout: {}, or {}-turned if the kernels are turned by 180 "
              "degrees "
              "(Theano's order)",
              other, other, other);
    }
    if (found.kernel.length) {
      const SourceTensor& length = source_.tensors()[*found.kernel.length];
      used_.insert(*found.kernel.length);
      if (length.shape.empty() || length.shape[0] != layer.out_channels ||
          element_count(length) != layer.out_channels || !is_real(length))
        problem(fmt::format("{} (for {}) is a weight norm that is not one length for each filter",
                            shown(*found.kernel.length), layer.name));
    }
    if (found.kernel.mask) {
      used_.insert(*found.kernel.mask);
      if (source_.tensors()[*found.kernel.mask].shape != tensor.shape)
        misshapen(layer, *found.kernel.mask, tensor.shape);
    }
  }

  /// Parts of used modules that no layer uses.
  void judge_extras() {
    for (const auto& [index, layer] : extras_) {
      const std::string& name = names_.clean(index);
      const bool ignored = std::any_of(network_.ignored_names.begin(), network_.ignored_names.end(),
                                       [&](const std::string& begin) { return name_begins(name, begin); });
      if (!used_.insert(index).second || ignored) continue;
      object(fmt::format(
          "{} lies beside the kernel of {} and may change it; if it does not: weights: {{ignore: [{}]}}",
          shown(index), layer, printable(name)));
    }
  }

  const Network& network_;
  const TensorSource& source_;
  const TensorNames& names_;
  const TensorSet& set_;
  const std::vector<ChainLink> chain_;
  std::set<std::size_t> used_;
  std::vector<std::pair<std::size_t, std::string>> extras_;  // and whose module they are of
  int position_ = 0;                                         // of torchvision's modules
  int count_ = 0;                                            // of convolutions
  int pools_ = 0;                                            // since the last one
  NetworkMatch match_;
};

}  // namespace

NetworkMatch match_network(const Network& network, const TensorSource& source, const TensorNames& names,
                           const TensorSet& set) {
  return Matcher(network, source, names, set).run();
}

}  // namespace gramflow
