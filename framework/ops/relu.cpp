#include "framework/ops/relu.h"

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

std::vector<TensorDesc> ReluBackward::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[gradient_of_output]};
}

}  // namespace gramflow
