#include "nodes/import/tensor_names.h"

#include <algorithm>
#include <array>

namespace gramflow {
namespace {

constexpr std::array<std::string_view, 5> wrappers = {"module", "_orig_mod", "_fsdp_wrapped_module",
                                                      "_forward_module", "_checkpoint_wrapped_module"};
constexpr std::array<std::string_view, 8> kernel_roles = {"weight", "weights", "kernel", "W",
                                                          "w",      "filters", "vars/0", "param_0"};
constexpr std::array<std::string_view, 6> bias_roles = {"bias", "biases", "b", "vars/1", "param_1", "B"};

constexpr std::array<std::string_view, 7> norm_roles = {
    "gamma", "beta", "running_mean", "running_var", "moving_mean", "moving_variance", "moving_var"};

template <class List>
bool is_in(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::vector<std::string> components(const std::string& name, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back().push_back(c);
  }
  return parts;
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// TensorFlow's ":0" and Keras 1's "_1" before it.
std::string without_counter(std::string role) {
  const std::size_t colon = role.find(':');
  if (colon == std::string::npos || !all_digits(std::string_view(role).substr(colon + 1))) return role;
  role.resize(colon);
  const std::size_t line = role.rfind('_');
  if (line != std::string::npos && line > 0 && all_digits(std::string_view(role).substr(line + 1)))
    role.resize(line);
  return role;
}

}  // namespace

bool is_kernel_role(std::string_view role) { return is_in(kernel_roles, role); }
bool is_bias_role(std::string_view role) { return is_in(bias_roles, role); }

bool name_begins(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  return prefix.empty() || name.size() == prefix.size() || prefix.back() == '.' || prefix.back() == '/' ||
         name[prefix.size()] == '.' || name[prefix.size()] == '/';
}

bool is_bookkeeping(std::string_view name) {
  const auto has = [&](std::string_view part) {
    for (std::size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1)) {
      const std::size_t end = at + part.size();
      const auto boundary = [&](std::size_t i) {
        return i >= name.size() || name[i] == '.' || name[i] == '/';
      };
      if ((at == 0 || boundary(at - 1)) && boundary(end)) return true;
    }
    return false;
  };
  for (const std::string_view word :
       {"optimizer", "optimizer_weights", "optimizer_state_dict", "optim", "optim_state_dict",
        "num_batches_tracked", "opt_state", "lr_scheduler", "scheduler", "exp_avg", "exp_avg_sq",
        "momentum_buffer", "seed_generator"})
    if (has(word)) return true;
  return false;
}

std::string clean_name(const std::string& name) {
  if (name.find('.') == std::string::npos) return name;
  std::string result;
  const std::vector<std::string> parts = components(name, '.');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i + 1 < parts.size() && is_in(wrappers, parts[i])) continue;
    if (!result.empty()) result += '.';
    result += parts[i];
  }
  return result;
}

NamedPart split_name(const std::string& name) {
  if (const std::size_t vars = name.rfind("vars/"); vars != std::string::npos &&
                                                    (vars == 0 || name[vars - 1] == '/') &&
                                                    all_digits(std::string_view(name).substr(vars + 5)))
    return {vars == 0 ? "" : name.substr(0, vars - 1), name.substr(vars)};
  constexpr std::string_view parametrized = ".parametrizations.";
  if (const std::size_t at = name.rfind(parametrized); at != std::string::npos)
    return {name.substr(0, at), name.substr(at + 1)};
  const std::size_t slash = name.rfind('/');
  const std::size_t dot = name.rfind('.');
  const std::size_t cut = slash == std::string::npos ? dot
                          : dot == std::string::npos ? slash
                                                     : std::max(slash, dot);
  std::string module = cut == std::string::npos ? "" : name.substr(0, cut);
  std::string role = without_counter(cut == std::string::npos ? name : name.substr(cut + 1));
  // Keras repeats the layer: conv/conv_W_1:0, conv/conv/kernel:0.
  const std::string last =
      module.substr(module.find_last_of("./") == std::string::npos ? 0 : module.find_last_of("./") + 1);
  if (!last.empty() && role.starts_with(last + "_")) role = role.substr(last.size() + 1);
  if (cut == std::string::npos) {
    // conv1_1_W, conv1_1_weight
    const std::size_t line = role.rfind('_');
    if (line != std::string::npos && line > 0) {
      const std::string word = role.substr(line + 1);
      if (is_kernel_role(word) || is_bias_role(word)) return {role.substr(0, line), word};
    }
    // MXNet's vgg0_batchnorm0_running_mean
    for (const std::string_view word : norm_roles)
      if (role.size() > word.size() + 1 && role.ends_with(word) && role[role.size() - word.size() - 1] == '_')
        return {role.substr(0, role.size() - word.size() - 1), std::string(word)};
    return {"", role};
  }
  return {module, role};
}

TensorNames::TensorNames(const std::vector<SourceTensor>& tensors) : tensors_(tensors) {
  bool collision = false;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    by_name_.emplace(tensors[i].name, i);
    clean_.push_back(clean_name(tensors[i].name));
    collision = collision || !by_clean_.emplace(clean_.back(), i).second;
  }
  if (collision) {
    by_clean_.clear();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      clean_[i] = tensors[i].name;
      by_clean_.emplace(clean_[i], i);
    }
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const NamedPart part = split_name(clean_[i]);
    by_module_[part.module].push_back(i);
    // Keras's conv/conv/kernel:0 and model/conv/kernel:0 belong to "conv" of whatever is around, too; that is
    // prefixes_of_module's.
  }
}

std::size_t TensorNames::find(const std::string& name) const {
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  const auto found = by_clean_.find(name);
  return found == by_clean_.end() ? npos : found->second;
}

std::vector<std::size_t> TensorNames::parts(const std::string& module) const {
  if (const auto found = by_module_.find(module); found != by_module_.end()) return found->second;
  // conv/conv/kernel:0 for "conv", conv/sequential/conv/kernel:0 as Keras nests names.
  const std::string last =
      module.substr(module.find_last_of("./") == std::string::npos ? 0 : module.find_last_of("./") + 1);
  std::vector<std::size_t> result;
  std::set<std::string> inner;
  for (auto at = by_module_.lower_bound(module + "/");
       at != by_module_.end() && at->first.starts_with(module + "/"); ++at) {
    if (!at->first.ends_with("/" + last)) continue;
    inner.insert(at->first);
    result.insert(result.end(), at->second.begin(), at->second.end());
  }
  return inner.size() == 1 ? result : std::vector<std::size_t>{};
}

std::set<std::string> TensorNames::prefixes_of(const std::string& tail) const {
  std::set<std::string> prefixes;
  for (const std::string& name : clean_) {
    if (!name.ends_with(tail)) continue;
    const std::size_t size = name.size() - tail.size();
    if (size == 0 || name[size - 1] == '.' || name[size - 1] == '/') prefixes.insert(name.substr(0, size));
  }
  return prefixes;
}

std::set<std::string> TensorNames::prefixes_of_module(const std::string& module) const {
  std::set<std::string> prefixes;
  for (const auto& [name, indices] : by_module_) {
    const bool has_kernel = std::any_of(indices.begin(), indices.end(), [&](std::size_t i) {
      return tensors_[i].shape.size() == 4 && !is_bookkeeping(clean_[i]);
    });
    if (!has_kernel) continue;
    for (std::size_t at = name.find(module); at != std::string::npos; at = name.find(module, at + 1)) {
      const auto boundary = [&name = name](std::size_t i) { return name[i] == '.' || name[i] == '/'; };
      const std::size_t end = at + module.size();
      if ((at == 0 || boundary(at - 1)) && (end == name.size() || boundary(end))) {
        prefixes.insert(name.substr(0, at));
        break;
      }
    }
  }
  return prefixes;
}

bool TensorNames::has_prefix(const std::string& prefix) const {
  const auto at = by_clean_.lower_bound(prefix);
  return prefix.empty() || (at != by_clean_.end() && at->first.starts_with(prefix));
}

}  // namespace gramflow
