#include "framework/ops/scaled_pool.h"

#include <fmt/format.h>

namespace gramflow {

std::string ScaledPool::attributes() const {
  constexpr const char* names[] = {"max", "average", "l2"};
  return fmt::format("{} x {}", names[static_cast<int>(pooling_)], scale_);
}

std::vector<TensorDesc> ScaledPool::infer(std::span<const TensorDesc> inputs) const {
  const Shape& input = inputs[0].shape;
  const Shape half{input.height / 2, input.width / 2, input.channels};
  if (half.height < 1 || half.width < 1)
    throw ShapeError(
        fmt::format("an input of {}x{} pixels is too small to be pooled", input.width, input.height));
  return {{half, ElementType::f32}};
}

void ScaledPool::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(
      0, std::make_shared<ScaledPoolBackward>(pooling_, scale_, builder.desc(builder.input(0)).shape),
      {builder.output_gradient(0), pooling_ == PoolingKind::average ? no_tensor : builder.input(0),
       no_tensor},
      GradientBuilder::Route::trunk);
}

std::vector<TensorDesc> ScaledPoolBackward::infer(std::span<const TensorDesc>) const {
  return {{input_shape_, ElementType::f32}};
}

}  // namespace gramflow
