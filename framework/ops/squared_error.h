#pragma once
// weight * mean((a - b)^2): the content loss of features, the style loss of Gram matrices. The sum is in
// double.
#include "framework/ops/op.h"

namespace gramflow {

/// a, b -> loss (f64 scalar, weighted)
class SquaredError final : public Op {
 public:
  explicit SquaredError(double weight) : weight_(weight) {}
  double weight() const { return weight_; }
  std::string_view kind() const override { return "SquaredError"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  void gradient(GradientBuilder& builder) const override;

 private:
  double weight_;
};

/// a, b, accumulator -> gradient of a: 2 weight (a - b) / elements
class SquaredErrorBackward final : public Op {
 public:
  enum Input { a, b, accumulator_input };
  explicit SquaredErrorBackward(double weight) : weight_(weight) {}
  double weight() const { return weight_; }
  std::string_view kind() const override { return "SquaredErrorBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }
  int overwritable() const override { return a; }

 private:
  double weight_;
};

}  // namespace gramflow
