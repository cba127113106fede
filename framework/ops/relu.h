#pragma once
// y = max(0, x). The backward op needs only the sign of y, kept as one bit an element.
#include "framework/ops/op.h"

namespace gramflow {

/// input -> y, mask
class Relu final : public Op {
 public:
  enum Output { y, mask };
  std::string_view kind() const override { return "Relu"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int overwritable() const override { return 0; }
  void gradient(GradientBuilder& builder) const override;
};

/// gradient, mask, accumulator -> gradient of the input
class ReluBackward final : public Op {
 public:
  enum Input { gradient_of_output, mask, accumulator_input };
  std::string_view kind() const override { return "ReluBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }
  int overwritable() const override { return gradient_of_output; }
};

}  // namespace gramflow
