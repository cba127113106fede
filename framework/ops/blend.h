#pragma once
// Several targets as one: sum of share_i * target_i, element by element (f32 or f64). For targets that do not
// depend on the canvas.
#include "framework/ops/op.h"

namespace gramflow {

class Blend final : public Op {
 public:
  explicit Blend(std::vector<double> shares) : shares_(std::move(shares)) {}
  const std::vector<double>& shares() const { return shares_; }
  std::string_view kind() const override { return "Blend"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;

 private:
  std::vector<double> shares_;
};

}  // namespace gramflow
