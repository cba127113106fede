// A state dict does not say in what order its tensors are applied, so whatever has a number for each channel
// of a used layer might stand between a convolution and its ReLU. Harmless are kernels and matrices of layers
// that the network does not list, with their biases, whole numbers, what training scripts keep, and what the
// user says is harmless. torchvision's names are positions: there, what lies behind the network's end is
// harmless, too, and what lies before it is not, whatever it is.
#include "nodes/import/surplus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "framework/base/printable.h"

namespace gramflow {
namespace {

using Place = std::pair<int, int>;

/// Block and number of conv3_4 or block3_conv4.
std::optional<Place> vgg_place(const std::string& module) {
  const std::size_t cut = module.find_last_of("./");
  const std::string last = cut == std::string::npos ? module : module.substr(cut + 1);
  int block = 0;
  int number = 0;
  char rest = 0;
  if (std::sscanf(last.c_str(), "conv%d_%d%c", &block, &number, &rest) == 2) return Place{block, number};
  if (std::sscanf(last.c_str(), "block%d_conv%d%c", &block, &number, &rest) == 2) return Place{block, number};
  return std::nullopt;
}

/// A number for the whole network that multiplies or adds to features, by its name.
bool sounds_like_scale(const std::string& role) {
  std::string lower = role;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* word :
       {"weight", "scale", "gamma", "alpha", "gain", "slope", "beta", "bias", "factor", "mult"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

class Judge {
 public:
  Judge(const Network& network, const TensorSource& source, const TensorNames& names,
        const std::set<std::size_t>& used, int end, NetworkMatch& match)
      : network_(network), source_(source), names_(names), used_(used), end_(end), match_(match) {
    for (const NetworkLayer& layer : network.layers) {
      if (layer.kind != NetworkLayer::Kind::convolution) continue;
      channels_[layer.out_channels].push_back(layer.name);
    }
    for (std::size_t i = 0; i < source.tensors().size(); ++i)
      if (!used.contains(i) && !is_vector(source.tensors()[i]))
        kernels_.insert(split_name(names.clean(i)).module);
    const bool mapped = std::any_of(network.layers.begin(), network.layers.end(),
                                    [](const NetworkLayer& layer) { return layer.weight_given; });
    if (const auto place = vgg_place(last_convolution()); place && !mapped) last_ = *place;
  }

  void run() {
    std::map<std::string, std::vector<std::size_t>> suspects;
    for (std::size_t i = 0; i < source_.tensors().size(); ++i) {
      if (used_.contains(i) || is_harmless(i)) continue;
      suspects[split_name(names_.clean(i)).module].push_back(i);
    }
    for (const auto& [module, indices] : suspects) match_.objections.push_back(text(module, indices));
  }

 private:
  std::string last_convolution() const {
    std::string last;
    for (const NetworkLayer& layer : network_.layers)
      if (layer.kind == NetworkLayer::Kind::convolution) last = layer.name;
    return last;
  }

  /// torchvision's position of a module; -1 for others.
  int position(const std::string& module) const {
    const std::string begin = match_.set.prefix + "features.";
    if (match_.set.naming != Naming::torchvision || !module.starts_with(begin)) return -1;
    int number = 0;
    return std::sscanf(module.c_str() + begin.size(), "%d", &number) == 1 ? number : -1;
  }

  bool is_harmless(std::size_t index) {
    const SourceTensor& tensor = source_.tensors()[index];
    const std::string& name = names_.clean(index);
    if (!is_real(tensor) || is_bookkeeping(name) || !name.starts_with(match_.set.prefix)) return true;
    for (const std::string& begin : network_.ignored_names)
      if (name_begins(name, begin) || name_begins(tensor.name, begin) ||
          name_begins(name, match_.set.prefix + begin))
        return true;
    const NamedPart part = split_name(name);
    if (const int at = position(part.module); at >= 0) return at >= end_;
    return is_vector(tensor) ? is_harmless_vector(tensor, part) : is_harmless_kernel(index, part);
  }

  bool is_harmless_kernel(std::size_t index, const NamedPart& part) const {
    if (source_.tensors()[index].shape.size() != 4) return true;
    // A convolution that makes the network's input from a picture.
    if (is_input_change(index)) return false;
    if (match_.set.naming == Naming::torchvision || match_.set.naming == Naming::counted) return true;
    const std::optional<Place> place = vgg_place(part.module);
    return !place || !last_ || *place > *last_;
  }

  /// 3 channels to 3. Where nobody knows the order of the sides, any that may be.
  bool is_input_change(std::size_t index) const {
    const std::vector<std::int64_t>& shape = source_.tensors()[index].shape;
    if (shape.size() != 4) return false;
    const std::optional<KernelLayout> known =
        network_.layout ? network_.layout : source_.layout(index).layout;
    const auto fits = [&](const std::string& axes) {
      const std::int64_t side = shape[axes.find('h')];
      return shape == layout_shape({axes, false}, 3, 3, side);
    };
    return known ? fits(known->axes) : fits("oihw") || fits("hwio");
  }

  bool is_harmless_vector(const SourceTensor& tensor, const NamedPart& part) const {
    const std::int64_t count = element_count(tensor);
    if (kernels_.contains(part.module) && (is_bias_role(part.role) || part.role == "1")) return true;
    if (count == 3 && (part.role == "mean" || part.role == "std")) return true;
    if (count == 0) return true;
    if (count == 1 && !channels_.contains(1)) return !sounds_like_scale(part.role);
    return !channels_.contains(count);
  }

  std::string text(const std::string& module, const std::vector<std::size_t>& indices) const {
    const SourceTensor& first = source_.tensors()[indices[0]];
    const std::string shown = "'" + printable(module.empty() ? first.name : module) + "'";
    const std::string ignore = fmt::format("weights: {{ignore: [{}]}}",
                                           printable(module.empty() ? names_.clean(indices[0]) : module));
    const int at = position(module);
    const bool has_kernel = std::any_of(indices.begin(), indices.end(),
                                        [&](std::size_t i) { return !is_vector(source_.tensors()[i]); });
    if (has_kernel && at < 0 && is_input_change_any(indices))
      return fmt::format(
          "{} is a convolution of 3 channels to 3, as people put in front of a VGG to change its input; the "
          "network's file does not list it: {{conv: NAME, in: 3, out: 3, relu: false}}, or {}",
          shown, ignore);
    if (has_kernel)
      return fmt::format(
          "{} is a convolution between those of the network, which does not list it; if that is meant: {}",
          shown, ignore);
    std::vector<std::string> roles;
    for (const std::size_t i : indices) roles.push_back(split_name(names_.clean(i)).role);
    std::sort(roles.begin(), roles.end());
    const std::string kind = kind_of_module(names_, indices);
    const std::int64_t count = element_count(first);
    std::string where;
    if (const auto found = channels_.find(count); found != channels_.end())
      where = found->second.size() > 3 ? fmt::format("{} and others", found->second[0])
                                       : fmt::format("{}", fmt::join(found->second, " or "));
    std::string line =
        fmt::format("{} ({}) is {} of {} {}: {}", shown, fmt::join(roles, ", "), kind, count,
                    count == 1 ? "number" : "channels",
                    where.empty() ? "it may change features" : "it may change those of " + where);
    if (kind == "a batch norm" && at < 0)
      line += fmt::format(
          "; say norm: {} at the convolution whose ReLU it stands before, or {} if it changes none of "
          "these layers",
          printable(module), ignore);
    else if (at < 0)
      line += "; if it does not: " + ignore;
    return line;
  }

  bool is_input_change_any(const std::vector<std::size_t>& indices) const {
    return std::any_of(indices.begin(), indices.end(), [&](std::size_t i) { return is_input_change(i); });
  }

  const Network& network_;
  const TensorSource& source_;
  const TensorNames& names_;
  const std::set<std::size_t>& used_;
  int end_;
  NetworkMatch& match_;
  std::map<std::int64_t, std::vector<std::string>> channels_;  // layers by what comes out of them
  std::set<std::string> kernels_;                              // modules with an unused kernel or matrix
  std::optional<Place> last_;
};

}  // namespace

void judge_surplus(const Network& network, const TensorSource& source, const TensorNames& names,
                   const std::set<std::size_t>& used, int end, NetworkMatch& match) {
  Judge(network, source, names, used, end, match).run();
}

}  // namespace gramflow
