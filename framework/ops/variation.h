#pragma once
// Total variation in other shapes and units than TotalVariation's. Differences of channel c are multiplied by
// scale_c first, which brings a network's numbers back to those of pictures.
//
//   l1:          weight / 2 (mean |dy| + mean |dx|), sign(0) = 0
//   l2:          weight / 2 (mean dy^2 + mean dx^2)
//   nine-point:  weight 2 (mean dx^2 / 3 + mean dy^2 / 3 + mean d1^2 / 12 + mean d2^2 / 12): d1 and d2 along
//                both diagonals, of the picture with its edge repeated once; dx and dy have a 0 for the last
//                column and row (crowsonkb's stencil, the same in all directions)
#include <array>

#include "framework/ops/op.h"

namespace gramflow {

enum class VariationKind { l1, l2, nine_point };
using ChannelScales = std::array<double, 3>;

/// picture of 3 channels -> loss (f64 scalar, weighted)
class Variation final : public Op {
 public:
  Variation(VariationKind kind, double weight, ChannelScales scales)
      : kind_(kind), weight_(weight), scales_(scales) {}
  VariationKind variation() const { return kind_; }
  double weight() const { return weight_; }
  const ChannelScales& scales() const { return scales_; }
  std::string_view kind() const override { return "Variation"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  void gradient(GradientBuilder& builder) const override;

 private:
  VariationKind kind_;
  double weight_;
  ChannelScales scales_;
};

/// picture, accumulator -> gradient of the picture
class VariationBackward final : public Op {
 public:
  enum Input { picture, accumulator_input };
  VariationBackward(VariationKind kind, double weight, ChannelScales scales)
      : kind_(kind), weight_(weight), scales_(scales) {}
  VariationKind variation() const { return kind_; }
  double weight() const { return weight_; }
  const ChannelScales& scales() const { return scales_; }
  std::string_view kind() const override { return "VariationBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override {
    return {inputs[picture]};
  }
  int accumulator() const override { return accumulator_input; }

 private:
  VariationKind kind_;
  double weight_;
  ChannelScales scales_;
};

}  // namespace gramflow
