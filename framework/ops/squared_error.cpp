#include "framework/ops/squared_error.h"

#include <fmt/format.h>

#include "framework/devices/cpu/kernels.h"

namespace gramflow {

std::string SquaredError::attributes() const { return fmt::format("weight {}", weight_); }

std::vector<TensorDesc> SquaredError::infer(std::span<const TensorDesc> inputs) const {
  if (inputs[0].shape != inputs[1].shape)
    throw ShapeError(fmt::format("it compares {} with {}; both must have the same size",
                                 inputs[0].shape.to_string(), inputs[1].shape.to_string()));
  return {{Shape{1, 1, 1}, ElementType::f64}};
}

std::size_t SquaredError::scratch_bytes(std::span<const TensorDesc> inputs) const {
  return cpu::squared_error_scratch(inputs[0].shape);
}

void SquaredError::gradient(GradientBuilder& builder) const {
  const auto op = std::make_shared<SquaredErrorBackward>(weight_);
  if (builder.wanted(0))
    builder.contribute(0, op, {builder.input(0), builder.input(1), no_tensor}, GradientBuilder::Route::side);
  if (builder.wanted(1))
    builder.contribute(1, op, {builder.input(1), builder.input(0), no_tensor}, GradientBuilder::Route::side);
}

std::unique_ptr<Kernel> SquaredError::prepare(const Bindings& memory) const {
  return make_kernel([a = memory.inputs[0], b = memory.inputs[1], loss = memory.outputs[0].f64(),
                      weight = weight_,
                      scratch = memory.scratch] { *loss = cpu::squared_error(a, b, weight, scratch); });
}

std::vector<TensorDesc> SquaredErrorBackward::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[a]};
}

std::unique_ptr<Kernel> SquaredErrorBackward::prepare(const Bindings& memory) const {
  return make_kernel([left = memory.inputs[a], right = memory.inputs[b], result = memory.outputs[0],
                      weight = weight_, accumulate = static_cast<bool>(memory.inputs[accumulator_input])] {
    cpu::squared_error_backward(left, right, weight, result, accumulate);
  });
}

}  // namespace gramflow
