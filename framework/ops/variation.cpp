#include "framework/ops/variation.h"

#include <fmt/format.h>

namespace gramflow {

std::string Variation::attributes() const {
  constexpr const char* names[] = {"l1", "l2", "nine-point"};
  return fmt::format("{}, weight {}", names[static_cast<int>(kind_)], weight_);
}

std::vector<TensorDesc> Variation::infer(std::span<const TensorDesc> inputs) const {
  if (inputs[0].shape.channels != 3)
    throw ShapeError(fmt::format("it takes a picture of 3 channels, found {}", inputs[0].shape.to_string()));
  return {{Shape{1, 1, 1}, ElementType::f64}};
}

void Variation::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0, std::make_shared<VariationBackward>(kind_, weight_, scales_),
                     {builder.input(0), no_tensor}, GradientBuilder::Route::side);
}

}  // namespace gramflow
