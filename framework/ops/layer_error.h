#pragma once
// Differences of two layers, measured in other units than mean squared error's:
//
//   d = factor (a - b) / unit                      unit: a number that a RelativeUnit made; 1 without
//   mean:    weight mean(d^2)
//   scaled:  weight sum(d^2) / (sum |d| + 1e-8)    (crowsonkb's ScaledMSELoss: its gradient has a sum of
//            magnitudes near 1, however large the difference); the denominator is differentiated, too
//
// Sums are in double. SquaredError is the plain case.
#include "framework/ops/op.h"

namespace gramflow {

/// Added to the denominator of scaled errors.
inline constexpr double least_denominator = 1e-8;

enum class ErrorNormalization { none, scaled };

/// a, b, unit (optional f64 scalar) -> loss (f64 scalar, weighted), coefficients of its gradient
class LayerError final : public Op {
 public:
  enum Input { a, b, unit };
  enum Output { loss, coefficients };
  LayerError(ErrorNormalization normalization, double weight, double factor)
      : normalization_(normalization), weight_(weight), factor_(factor) {}
  ErrorNormalization normalization() const { return normalization_; }
  double weight() const { return weight_; }
  double factor() const { return factor_; }
  std::string_view kind() const override { return "LayerError"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  /// Of a only; b and the unit must not depend on the canvas.
  void gradient(GradientBuilder& builder) const override;

 private:
  ErrorNormalization normalization_;
  double weight_;
  double factor_;
};

/// a, b, coefficients, accumulator -> gradient of a
class LayerErrorBackward final : public Op {
 public:
  enum Input { a, b, coefficients, accumulator_input };
  std::string_view kind() const override { return "LayerErrorBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override { return {inputs[a]}; }
  int accumulator() const override { return accumulator_input; }
  int overwritable() const override { return a; }
};

/// target -> f64 scalar: what differences to it are to be divided by. Made once, of targets only.
class RelativeUnit final : public Op {
 public:
  enum class Of {
    size,      ///< sqrt(mean(t^2)), for Gram matrices
    variation  ///< sqrt(mean over channels of the variance over positions), for features
  };
  RelativeUnit(Of of, double factor) : of_(of), factor_(factor) {}
  Of of() const { return of_; }
  double factor() const { return factor_; }
  std::string_view kind() const override { return "RelativeUnit"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;

 private:
  Of of_;
  double factor_;
};

}  // namespace gramflow
