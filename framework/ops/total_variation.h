#pragma once
// Total variation: weight/2 * (mean |a[y+1] - a[y]| + mean |a[x+1] - a[x]|), as in the d2l chapter. Its
// gradient takes sign(0) = 0.
#include "framework/ops/op.h"

namespace gramflow {

/// a -> loss (f64 scalar, weighted)
class TotalVariation final : public Op {
 public:
  explicit TotalVariation(double weight) : weight_(weight) {}
  double weight() const { return weight_; }
  std::string_view kind() const override { return "TotalVariation"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  void gradient(GradientBuilder& builder) const override;

 private:
  double weight_;
};

/// a, accumulator -> gradient of a
class TotalVariationBackward final : public Op {
 public:
  enum Input { a, accumulator_input };
  explicit TotalVariationBackward(double weight) : weight_(weight) {}
  double weight() const { return weight_; }
  std::string_view kind() const override { return "TotalVariationBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }

 private:
  double weight_;
};

}  // namespace gramflow
