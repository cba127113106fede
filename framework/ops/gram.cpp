#include "framework/ops/gram.h"

#include <fmt/format.h>

#include "framework/devices/cpu/kernels.h"

namespace gramflow {

std::vector<TensorDesc> Gram::infer(std::span<const TensorDesc> inputs) const {
  const std::int64_t channels = inputs[0].shape.channels;
  if (channels > cpu::most_gram_channels)
    throw ShapeError(fmt::format("it has {} channels; a Gram matrix is made of {} at most", channels,
                                 cpu::most_gram_channels));
  return {{{channels, channels, 1}, ElementType::f32}};
}

Cost Gram::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  Cost cost = Op::cost(inputs, outputs);
  // Half of the full product: the result is symmetric.
  cost.flops =
      static_cast<double>(inputs[0].shape.elements()) * static_cast<double>(inputs[0].shape.channels + 1);
  return cost;
}

std::size_t Gram::scratch_bytes(std::span<const TensorDesc> inputs) const {
  return cpu::gram_scratch(inputs[0].shape);
}

void Gram::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0, std::make_shared<GramBackward>(),
                     {builder.input(0), builder.output_gradient(0), no_tensor}, GradientBuilder::Route::side);
}

std::unique_ptr<Kernel> Gram::prepare(const Bindings& memory) const {
  return make_kernel([features = memory.inputs[0], gram = memory.outputs[0], scratch = memory.scratch] {
    cpu::gram(features, gram, scratch);
  });
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

std::size_t GramBackward::scratch_bytes(std::span<const TensorDesc> inputs) const {
  return cpu::gram_backward_scratch(inputs[features].shape);
}

std::unique_ptr<Kernel> GramBackward::prepare(const Bindings& memory) const {
  return make_kernel(
      [from = memory.inputs[features], gradient = memory.inputs[gradient_of_gram], result = memory.outputs[0],
       accumulate = static_cast<bool>(memory.inputs[accumulator_input]),
       scratch = memory.scratch] { cpu::gram_backward(from, gradient, result, accumulate, scratch); });
}

}  // namespace gramflow
