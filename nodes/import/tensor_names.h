#pragma once
// The names of a file's tensors as a tree of modules: "features.0.weight" and "conv2d_1/conv2d_1/kernel:0"
// are both a part of a module. What frameworks put around a model (module., _orig_mod.) is left out.
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/import/tensor_source.h"

namespace gramflow {

/// The last part of a name: what it is in its module.
struct NamedPart {
  std::string module;  ///< "features.0"; "" for a name without parts
  std::string role;    ///< "weight", "kernel", "vars/0"
};

/// Splits "conv1_1.weight", "conv1_1/kernel:0", "layers/conv2d/vars/0", "conv1_1/conv1_1_W_1:0", "conv1_1_W".
NamedPart split_name(const std::string& name);

/// Roles by the names that frameworks give; ":0" and the like are gone already.
bool is_kernel_role(std::string_view role);
bool is_bias_role(std::string_view role);

class TensorNames {
 public:
  explicit TensorNames(const std::vector<SourceTensor>& tensors);

  /// Without the wrappers of frameworks, unless that would make two names equal.
  const std::string& clean(std::size_t index) const { return clean_[index]; }
  /// The tensor of exactly this name, as in the file or clean; npos when there is none.
  std::size_t find(const std::string& name) const;
  /// Tensors whose clean name is `module`, '.' or '/' or '_', and a role.
  std::vector<std::size_t> parts(const std::string& module) const;
  /// What stands before `tail` ("features.0.weight") in clean names that end with it, at a boundary.
  std::set<std::string> prefixes_of(const std::string& tail) const;
  /// What stands before a module that has a kernel: of "vgg.conv1_1.weight" and "conv1_1": "vgg.".
  std::set<std::string> prefixes_of_module(const std::string& module) const;
  /// Any name that begins with `prefix` at a boundary.
  bool has_prefix(const std::string& prefix) const;

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  const std::vector<SourceTensor>& tensors_;
  std::vector<std::string> clean_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::string, std::size_t> by_clean_;
  std::map<std::string, std::vector<std::size_t>> by_module_;
};

/// `name` begins with `prefix`, which ends there or at a '.' or '/'.
bool name_begins(std::string_view name, std::string_view prefix);
/// Without module. and _orig_mod.
std::string clean_name(const std::string& name);
/// A training script's own: optimiser moments, counters.
bool is_bookkeeping(std::string_view name);

}  // namespace gramflow
