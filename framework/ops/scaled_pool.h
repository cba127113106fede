#pragma once
// 2x2 pooling times a factor: how a network is run with another kind of pooling than its own while its
// activations stay as large as they were. Pool is the plain case.
#include "framework/ops/op.h"

namespace gramflow {

enum class PoolingKind { max, average, l2 };

/// input -> y
class ScaledPool final : public Op {
 public:
  ScaledPool(PoolingKind pooling, double scale) : pooling_(pooling), scale_(scale) {}
  PoolingKind pooling() const { return pooling_; }
  double scale() const { return scale_; }
  std::string_view kind() const override { return "ScaledPool"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  void gradient(GradientBuilder& builder) const override;

 private:
  PoolingKind pooling_;
  double scale_;
};

/// gradient, the forward input (absent for averages), accumulator -> gradient of the input
class ScaledPoolBackward final : public Op {
 public:
  enum Input { gradient_of_output, forward_input, accumulator_input };
  ScaledPoolBackward(PoolingKind pooling, double scale, Shape input_shape)
      : pooling_(pooling), scale_(scale), input_shape_(input_shape) {}
  PoolingKind pooling() const { return pooling_; }
  double scale() const { return scale_; }
  std::string_view kind() const override { return "ScaledPoolBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }

 private:
  PoolingKind pooling_;
  double scale_;
  Shape input_shape_;
};

}  // namespace gramflow
