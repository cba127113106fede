#pragma once
// Mean and mean square of each channel of a feature map, in double: what W2 and mean-variance style losses
// compare, beside Gram matrices.
#include "framework/ops/op.h"

namespace gramflow {

/// features -> mean, mean square (f64, one a channel)
class ChannelMoments final : public Op {
 public:
  enum Output { mean, mean_square };
  std::string_view kind() const override { return "ChannelMoments"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  void gradient(GradientBuilder& builder) const override;
};

/// features, gradient of the mean, of the mean square (either may be absent), accumulator -> gradient of the
/// features
class ChannelMomentsBackward final : public Op {
 public:
  enum Input { features, mean_gradient, square_gradient, accumulator_input };
  std::string_view kind() const override { return "ChannelMomentsBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override {
    return {inputs[features]};
  }
  int accumulator() const override { return accumulator_input; }
  int overwritable() const override { return features; }
};

}  // namespace gramflow
