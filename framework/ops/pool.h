#pragma once
// 2x2 pooling with stride 2; an odd last row or column is left out. Maxima remember where they stood in one
// byte.
#include "framework/devices/cpu/kernels.h"
#include "framework/ops/op.h"

namespace gramflow {

/// input -> y, index (maxima only)
class Pool final : public Op {
 public:
  enum Output { y, index };
  explicit Pool(cpu::PoolKind pool) : pool_(pool) {}
  cpu::PoolKind pool() const { return pool_; }
  std::string_view kind() const override { return "Pool"; }
  std::string attributes() const override { return pool_ == cpu::PoolKind::max ? "max" : "average"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  void gradient(GradientBuilder& builder) const override;
  std::unique_ptr<Kernel> prepare(const Bindings& memory) const override;

 private:
  cpu::PoolKind pool_;
};

/// gradient, index, accumulator -> gradient of the input
class PoolBackward final : public Op {
 public:
  enum Input { gradient_of_output, index, accumulator_input };
  PoolBackward(cpu::PoolKind pool, Shape input_shape) : pool_(pool), input_shape_(input_shape) {}
  cpu::PoolKind pool() const { return pool_; }
  std::string_view kind() const override { return "PoolBackward"; }
  std::string attributes() const override { return pool_ == cpu::PoolKind::max ? "max" : "average"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }
  std::unique_ptr<Kernel> prepare(const Bindings& memory) const override;

 private:
  cpu::PoolKind pool_;
  Shape input_shape_;
};

}  // namespace gramflow
