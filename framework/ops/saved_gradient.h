#pragma once
// The backward op of losses that find their gradient while they compute their value: brings it where it
// belongs.
#include "framework/ops/op.h"

namespace gramflow {

/// gradient, accumulator -> the gradient (f32 or f64), added to the accumulator when there is one
class SavedGradient final : public Op {
 public:
  enum Input { gradient_input, accumulator_input };
  std::string_view kind() const override { return "SavedGradient"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override {
    return {inputs[gradient_input]};
  }
  int accumulator() const override { return accumulator_input; }
  int overwritable() const override { return gradient_input; }
};

}  // namespace gramflow
