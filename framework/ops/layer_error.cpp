#include "framework/ops/layer_error.h"

#include <fmt/format.h>

namespace gramflow {
namespace {

constexpr TensorDesc number{Shape{1, 1, 1}, ElementType::f64};

}  // namespace

std::string LayerError::attributes() const {
  return fmt::format("weight {}{}", weight_, normalization_ == ErrorNormalization::scaled ? ", scaled" : "");
}

std::vector<TensorDesc> LayerError::infer(std::span<const TensorDesc> inputs) const {
  if (inputs[a].shape != inputs[b].shape)
    throw ShapeError(fmt::format("it compares {} with {}; both must have the same size",
                                 inputs[a].shape.to_string(), inputs[b].shape.to_string()));
  return {number, {Shape{1, 1, 2}, ElementType::f64}};
}

void LayerError::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(a)) return;
  builder.contribute(a, std::make_shared<LayerErrorBackward>(),
                     {builder.input(a), builder.input(b), builder.output(coefficients), no_tensor},
                     GradientBuilder::Route::side);
}

std::vector<TensorDesc> RelativeUnit::infer(std::span<const TensorDesc>) const { return {number}; }

}  // namespace gramflow
