#include "framework/ops/relu.h"

#include "framework/devices/cpu/kernels.h"

namespace gramflow {

std::vector<TensorDesc> Relu::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[0], {inputs[0].shape, ElementType::bits}};
}

void Relu::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0, std::make_shared<ReluBackward>(),
                     {builder.output_gradient(y), builder.output(mask), no_tensor},
                     GradientBuilder::Route::trunk);
}

std::unique_ptr<Kernel> Relu::prepare(const Bindings& memory) const {
  return make_kernel([input = memory.inputs[0], output = memory.outputs[y],
                      bits = memory.outputs[mask].u8()] { cpu::relu(input, output, bits); });
}

std::vector<TensorDesc> ReluBackward::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[gradient_of_output]};
}

std::unique_ptr<Kernel> ReluBackward::prepare(const Bindings& memory) const {
  return make_kernel([gradient = memory.inputs[gradient_of_output], bits = memory.inputs[mask].u8(),
                      result = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[accumulator_input])] {
    cpu::relu_backward(gradient, bits, result, accumulate);
  });
}

}  // namespace gramflow
