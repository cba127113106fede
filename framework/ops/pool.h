#pragma once
// 2x2 pooling with stride 2; an odd last row or column is left out. Maxima remember where they stood in one
// byte.
#include "framework/ops/op.h"

namespace gramflow {

enum class PoolKind { max, average };

/// input -> y, index (maxima only)
class Pool final : public Op {
 public:
  enum Output { y, index };
  explicit Pool(PoolKind pool) : pool_(pool) {}
  PoolKind pool() const { return pool_; }
  std::string_view kind() const override { return "Pool"; }
  std::string attributes() const override { return pool_ == PoolKind::max ? "max" : "average"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  void gradient(GradientBuilder& builder) const override;

 private:
  PoolKind pool_;
};

/// gradient, index, accumulator -> gradient of the input
class PoolBackward final : public Op {
 public:
  enum Input { gradient_of_output, index, accumulator_input };
  PoolBackward(PoolKind pool, Shape input_shape) : pool_(pool), input_shape_(input_shape) {}
  PoolKind pool() const { return pool_; }
  std::string_view kind() const override { return "PoolBackward"; }
  std::string attributes() const override { return pool_ == PoolKind::max ? "max" : "average"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }

 private:
  PoolKind pool_;
  Shape input_shape_;
};

}  // namespace gramflow
