#pragma once
// The tensors that make one convolution: its kernel in the form that the framework keeps it, its bias, and a
// norm between it and its ReLU.
#include <optional>
#include <string>
#include <vector>

#include "nodes/import/tensor_names.h"

namespace gramflow {

/// Indices into TensorSource::tensors().
struct KernelParts {
  std::size_t weight = TensorNames::npos;  ///< npos: not found
  std::optional<std::size_t> length;  ///< of weight norm: the filters' norms; `weight` is their direction
  std::optional<std::size_t> mask;    ///< of pruning
  std::optional<std::size_t> bias;
  std::vector<std::size_t> extra;  ///< others of the same module, which must be understood
  std::string trouble;             ///< why the kernel is not simply these; "" for nothing
};

/// The parts of a module that is a convolution.
KernelParts kernel_parts(const TensorSource& source, const TensorNames& names, const std::string& module);

/// A norm that has learned: (x - mean) / sqrt(variance + epsilon) * scale + shift.
struct NormParts {
  std::string module;
  std::optional<std::size_t> scale;
  std::optional<std::size_t> shift;
  std::size_t mean = TensorNames::npos;
  std::size_t variance = TensorNames::npos;
  std::optional<std::size_t> divisor;  ///< of Caffe: mean and variance are to be divided by it
  std::optional<double> epsilon;       ///< by the names' framework; empty when they do not tell
  std::string trouble;                 ///< what it is instead of a batch norm with learned statistics
};

NormParts norm_parts(const TensorSource& source, const TensorNames& names, const std::string& module);

/// What tensors of this module probably are, for messages: "a batch norm", "a PReLU or a scale".
std::string kind_of_module(const TensorNames& names, const std::vector<std::size_t>& parts);

/// Real numbers that can be read.
bool is_real(const SourceTensor& tensor);
/// At most one side is more than 1.
bool is_vector(const SourceTensor& tensor);
std::int64_t element_count(const SourceTensor& tensor);

}  // namespace gramflow
