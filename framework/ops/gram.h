#pragma once
// Gram matrix: G = F F^T / (C H W), F the C x (H W) matrix of features (Gatys et al. 2015, equation 3, with
// the d2l chapter's normalisation). dL/dF = (D + D^T) F / (C H W) for D = dL/dG.
#include "framework/ops/op.h"

namespace gramflow {

inline constexpr std::int64_t most_gram_channels = 24576;

/// features -> G (C x C); at most most_gram_channels
class Gram final : public Op {
 public:
  std::string_view kind() const override { return "Gram"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  void gradient(GradientBuilder& builder) const override;
};

/// features, gradient of G, accumulator -> gradient of the features
class GramBackward final : public Op {
 public:
  enum Input { features, gradient_of_gram, accumulator_input };
  std::string_view kind() const override { return "GramBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  int accumulator() const override { return accumulator_input; }
  int overwritable() const override { return features; }
};

}  // namespace gramflow
