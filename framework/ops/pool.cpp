#include "framework/ops/pool.h"

#include <fmt/format.h>

namespace gramflow {

std::vector<TensorDesc> Pool::infer(std::span<const TensorDesc> inputs) const {
  const Shape& input = inputs[0].shape;
  const Shape half{input.height / 2, input.width / 2, input.channels};
  if (half.height < 1 || half.width < 1)
    throw ShapeError(
        fmt::format("an input of {}x{} pixels is too small to be pooled", input.width, input.height));
  if (pool_ == PoolKind::average) return {{half, ElementType::f32}};
  return {{half, ElementType::f32}, {half, ElementType::u8}};
}

void Pool::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  const auto op = std::make_shared<PoolBackward>(pool_, builder.desc(builder.input(0)).shape);
  const TensorId where = pool_ == PoolKind::max ? builder.output(index) : no_tensor;
  builder.contribute(0, op, {builder.output_gradient(y), where, no_tensor}, GradientBuilder::Route::trunk);
}

std::vector<TensorDesc> PoolBackward::infer(std::span<const TensorDesc>) const {
  return {{input_shape_, ElementType::f32}};
}

}  // namespace gramflow
