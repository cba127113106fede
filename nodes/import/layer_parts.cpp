#include "nodes/import/layer_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "framework/base/printable.h"

namespace gramflow {
namespace {

constexpr double pytorch_epsilon = 1e-5;
constexpr double keras_epsilon = 1e-3;

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 4> scale_roles = {"weight", "gamma", "scale", "scales"};
constexpr std::array<std::string_view, 4> shift_roles = {"bias", "beta", "offset", "biases"};
constexpr std::array<std::string_view, 3> mean_roles = {"running_mean", "moving_mean", "mean"};
constexpr std::array<std::string_view, 6> variance_roles = {
    "running_var", "moving_variance", "variance", "var", "moving_var", "running_variance"};

}  // namespace

bool is_real(const SourceTensor& tensor) {
  return tensor.type == "F16" || tensor.type == "BF16" || tensor.type == "F32" || tensor.type == "F64";
}

bool is_vector(const SourceTensor& tensor) {
  return std::count_if(tensor.shape.begin(), tensor.shape.end(),
                       [](std::int64_t side) { return side != 1; }) <= 1;
}

std::int64_t element_count(const SourceTensor& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t side : tensor.shape)
    if (__builtin_mul_overflow(count, side, &count)) return INT64_MAX;
  return count;
}

KernelParts kernel_parts(const TensorSource& source, const TensorNames& names, const std::string& module) {
  KernelParts parts;
  std::vector<std::size_t> unknown;
  const bool numbered = source.format() == SourceFormat::numpy;
  std::optional<std::size_t> direction;
  std::optional<std::size_t> original;
  for (const std::size_t i : names.parts(module)) {
    const SourceTensor& tensor = source.tensors()[i];
    const std::string role = split_name(names.clean(i)).role;
    // Caffe's first format gives a bias four dimensions, too.
    const bool is_kernel = tensor.shape.size() == 4 && !(is_bias_role(role) && is_vector(tensor));
    if (!is_real(tensor) || is_bookkeeping(tensor.name)) continue;
    if ((role == "weight_v" && is_kernel) || role == "parametrizations.weight.original1")
      direction = i;
    else if (role == "weight_g" || role == "parametrizations.weight.original0")
      parts.length = i;
    else if (role == "weight_orig")
      original = i;
    else if (role == "weight_mask")
      parts.mask = i;
    else if (is_kernel && (is_kernel_role(role) || (numbered && role == "0")) &&
             parts.weight == TensorNames::npos)
      parts.weight = i;
    else if (!is_kernel && (is_bias_role(role) || (numbered && role == "1")) && !parts.bias)
      parts.bias = i;
    else
      unknown.push_back(i);
  }
  // One kernel under a name that no framework gives.
  if (parts.weight == TensorNames::npos && !direction && !original) {
    const auto is_kernel = [&](std::size_t i) { return source.tensors()[i].shape.size() == 4; };
    if (std::count_if(unknown.begin(), unknown.end(), is_kernel) == 1) {
      const auto only = std::find_if(unknown.begin(), unknown.end(), is_kernel);
      parts.weight = *only;
      unknown.erase(only);
    }
  }
  parts.extra = unknown;
  if (direction && parts.weight == TensorNames::npos) {
    parts.weight = *direction;
    if (!parts.length)
      parts.trouble = "has the direction of a weight norm (weight_v), but not its length (weight_g)";
  } else if (original && parts.weight == TensorNames::npos) {
    parts.weight = *original;
    if (!parts.mask)
      parts.trouble = "is made from weight_orig by something that is not known here, as spectral norm";
  } else {
    for (const auto& left : {direction, original, parts.length, parts.mask})
      if (left) parts.extra.push_back(*left);
    parts.length.reset();
    parts.mask.reset();
  }
  return parts;
}

NormParts norm_parts(const TensorSource& source, const TensorNames& names, const std::string& module) {
  NormParts norm;
  norm.module = module;
  std::vector<std::size_t> numbered;
  bool by_pytorch = false;
  bool by_keras = false;
  for (const std::size_t i : names.parts(module)) {
    const SourceTensor& tensor = source.tensors()[i];
    if (!is_real(tensor) || is_bookkeeping(tensor.name)) continue;
    const std::string role = split_name(names.clean(i)).role;
    by_pytorch = by_pytorch || role.starts_with("running_var");
    by_keras = by_keras || role == "moving_variance" || role == "running_std" || role.starts_with("vars/");
    if (role.starts_with("vars/"))
      numbered.push_back(i);
    else if (is_one_of(role, scale_roles))
      norm.scale = i;
    else if (is_one_of(role, shift_roles))
      norm.shift = i;
    else if (is_one_of(role, mean_roles))
      norm.mean = i;
    else if (is_one_of(role, variance_roles) ||
             (role == "running_std" && source.format() == SourceFormat::keras))
      norm.variance = i;  // Keras 1 called the variance running_std
    else if (role == "scale_factor")
      norm.divisor = i;
    else
      norm.trouble = fmt::format("has a part '{}', which no batch norm has", printable(role));
  }
  if (numbered.size() == 4) {
    std::sort(numbered.begin(), numbered.end(), [&](std::size_t a, std::size_t b) {
      return split_name(names.clean(a)).role < split_name(names.clean(b)).role;
    });
    norm.scale = numbered[0];
    norm.shift = numbered[1];
    norm.mean = numbered[2];
    norm.variance = numbered[3];
  } else if (!numbered.empty()) {
    norm.trouble = fmt::format("has {} numbered parts where a batch norm has 4 (gamma, beta, mean, variance)",
                               numbered.size());
  }
  norm.epsilon = source.epsilon(module);
  if (!norm.epsilon && (by_keras || source.format() == SourceFormat::keras)) norm.epsilon = keras_epsilon;
  if (!norm.epsilon && by_pytorch) norm.epsilon = pytorch_epsilon;
  if (norm.trouble.empty() && (norm.mean == TensorNames::npos || norm.variance == TensorNames::npos))
    norm.trouble = names.parts(module).empty()
                       ? "is not in the file"
                       : "has no mean and variance of its own: an instance, group or layer norm takes them "
                         "from each picture, "
                         "and a PReLU is no norm; neither can be folded into a convolution";
  return norm;
}

std::string kind_of_module(const TensorNames& names, const std::vector<std::size_t>& parts) {
  std::set<std::string> roles;
  for (const std::size_t i : parts) roles.insert(split_name(names.clean(i)).role);
  const auto any = [&](const auto& list) {
    return std::any_of(roles.begin(), roles.end(),
                       [&](const std::string& role) { return is_one_of(role, list); });
  };
  if (any(mean_roles) || any(variance_roles) || roles.contains("vars/3")) return "a batch norm";
  if (any(scale_roles) && any(shift_roles)) return "an instance, group or layer norm, or a scale";
  if (any(scale_roles) || roles.contains("alpha")) return "a PReLU or a scale";
  return "something that has a number for each channel";
}

}  // namespace gramflow
