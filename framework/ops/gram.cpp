#include "framework/ops/gram.h"

#include <fmt/format.h>

namespace gramflow {

std::vector<TensorDesc> Gram::infer(std::span<const TensorDesc> inputs) const {
  const std::int64_t channels = inputs[0].shape.channels;
  if (channels > most_gram_channels)
    throw ShapeError(
        fmt::format("it has {} channels; a Gram matrix is made of {} at most", channels, most_gram_channels));
  return {{{channels, channels, 1}, ElementType::f32}};
}

Cost Gram::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  Cost cost = Op::cost(inputs, outputs);
  // Half of the full product: the result is symmetric.
  cost.flops =
      static_cast<double>(inputs[0].shape.elements()) * static_cast<double>(inputs[0].shape.channels + 1);
  return cost;
}

void Gram::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0, std::make_shared<GramBackward>(),
                     {builder.input(0), builder.output_gradient(0), no_tensor}, GradientBuilder::Route::side);
}

std::vector<TensorDesc> GramBackward::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[features]};
}

Cost GramBackward::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  Cost cost = Op::cost(inputs, outputs);
  const Shape& shape = inputs[features].shape;
  cost.flops = 2 * static_cast<double>(shape.elements()) * static_cast<double>(shape.channels);
  return cost;
}

}  // namespace gramflow
