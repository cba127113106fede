#include "framework/ops/total_variation.h"

#include <fmt/format.h>

#include "framework/devices/cpu/kernels.h"

namespace gramflow {

std::string TotalVariation::attributes() const { return fmt::format("weight {}", weight_); }

std::vector<TensorDesc> TotalVariation::infer(std::span<const TensorDesc>) const {
  return {{Shape{1, 1, 1}, ElementType::f64}};
}

std::size_t TotalVariation::scratch_bytes(std::span<const TensorDesc> inputs) const {
  return cpu::total_variation_scratch(inputs[0].shape);
}

void TotalVariation::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0, std::make_shared<TotalVariationBackward>(weight_), {builder.input(0), no_tensor},
                     GradientBuilder::Route::side);
}

std::unique_ptr<Kernel> TotalVariation::prepare(const Bindings& memory) const {
  return make_kernel([a = memory.inputs[0], loss = memory.outputs[0].f64(), weight = weight_,
                      scratch = memory.scratch] { *loss = cpu::total_variation(a, weight, scratch); });
}

std::vector<TensorDesc> TotalVariationBackward::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[a]};
}

std::unique_ptr<Kernel> TotalVariationBackward::prepare(const Bindings& memory) const {
  return make_kernel([from = memory.inputs[a], result = memory.outputs[0], weight = weight_,
                      accumulate = static_cast<bool>(memory.inputs[accumulator_input])] {
    cpu::total_variation_backward(from, weight, result, accumulate);
  });
}

}  // namespace gramflow
