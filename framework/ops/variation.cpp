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

std::size_t Variation::scratch_bytes(std::span<const TensorDesc> inputs) const {
  return cpu::variation_scratch(inputs[0].shape);
}

void Variation::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0, std::make_shared<VariationBackward>(kind_, weight_, scales_),
                     {builder.input(0), no_tensor}, GradientBuilder::Route::side);
}

std::unique_ptr<Kernel> Variation::prepare(const Bindings& memory) const {
  return make_kernel([picture = memory.inputs[0], loss = memory.outputs[0].f64(), kind = kind_,
                      weight = weight_, scales = scales_, scratch = memory.scratch] {
    *loss = cpu::variation(kind, picture, weight, scales.data(), scratch);
  });
}

std::unique_ptr<Kernel> VariationBackward::prepare(const Bindings& memory) const {
  return make_kernel([from = memory.inputs[picture], result = memory.outputs[0], kind = kind_,
                      weight = weight_, scales = scales_,
                      accumulate = static_cast<bool>(memory.inputs[accumulator_input])] {
    cpu::variation_backward(kind, from, weight, scales.data(), result, accumulate);
  });
}

}  // namespace gramflow
