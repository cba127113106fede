#include "framework/ops/total_variation.h"

#include <fmt/format.h>

namespace gramflow {

std::string TotalVariation::attributes() const { return fmt::format("weight {}", weight_); }

std::vector<TensorDesc> TotalVariation::infer(std::span<const TensorDesc>) const {
  return {{Shape{1, 1, 1}, ElementType::f64}};
}

void TotalVariation::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0, std::make_shared<TotalVariationBackward>(weight_), {builder.input(0), no_tensor},
                     GradientBuilder::Route::side);
}

std::vector<TensorDesc> TotalVariationBackward::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[a]};
}

}  // namespace gramflow
