#include "framework/ops/channel_moments.h"

#include "framework/devices/cpu/style_kernels.h"

namespace gramflow {

std::vector<TensorDesc> ChannelMoments::infer(std::span<const TensorDesc> inputs) const {
  const TensorDesc moments{Shape{1, 1, inputs[0].shape.channels}, ElementType::f64};
  return {moments, moments};
}

std::size_t ChannelMoments::scratch_bytes(std::span<const TensorDesc> inputs) const {
  return cpu::channel_moments_scratch(inputs[0].shape);
}

void ChannelMoments::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(
      0, std::make_shared<ChannelMomentsBackward>(),
      {builder.input(0), builder.output_gradient(mean), builder.output_gradient(mean_square), no_tensor},
      GradientBuilder::Route::side);
}

std::unique_ptr<Kernel> ChannelMoments::prepare(const Bindings& memory) const {
  return make_kernel([features = memory.inputs[0], to_mean = memory.outputs[mean].f64(),
                      to_square = memory.outputs[mean_square].f64(), scratch = memory.scratch] {
    cpu::channel_moments(features, to_mean, to_square, scratch);
  });
}

std::unique_ptr<Kernel> ChannelMomentsBackward::prepare(const Bindings& memory) const {
  return make_kernel([from = memory.inputs[features], of_mean = memory.inputs[mean_gradient].f64(),
                      of_square = memory.inputs[square_gradient].f64(), result = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[accumulator_input])] {
    cpu::channel_moments_backward(from, of_mean, of_square, result, accumulate);
  });
}

}  // namespace gramflow
