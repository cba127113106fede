#include "framework/ops/squared_error.h"

#include <fmt/format.h>

namespace gramflow {

std::string SquaredError::attributes() const { return fmt::format("weight {}", weight_); }

std::vector<TensorDesc> SquaredError::infer(std::span<const TensorDesc> inputs) const {
  if (inputs[0].shape != inputs[1].shape)
    throw ShapeError(fmt::format("it compares {} with {}; both must have the same size",
                                 inputs[0].shape.to_string(), inputs[1].shape.to_string()));
  return {{Shape{1, 1, 1}, ElementType::f64}};
}

void SquaredError::gradient(GradientBuilder& builder) const {
  const auto op = std::make_shared<SquaredErrorBackward>(weight_);
  if (builder.wanted(0))
    builder.contribute(0, op, {builder.input(0), builder.input(1), no_tensor}, GradientBuilder::Route::side);
  if (builder.wanted(1))
    builder.contribute(1, op, {builder.input(1), builder.input(0), no_tensor}, GradientBuilder::Route::side);
}

std::vector<TensorDesc> SquaredErrorBackward::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[a]};
}

}  // namespace gramflow
