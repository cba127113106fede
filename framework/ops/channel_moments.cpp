#include "framework/ops/channel_moments.h"

namespace gramflow {

std::vector<TensorDesc> ChannelMoments::infer(std::span<const TensorDesc> inputs) const {
  const TensorDesc moments{Shape{1, 1, inputs[0].shape.channels}, ElementType::f64};
  return {moments, moments};
}

void ChannelMoments::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(
      0, std::make_shared<ChannelMomentsBackward>(),
      {builder.input(0), builder.output_gradient(mean), builder.output_gradient(mean_square), no_tensor},
      GradientBuilder::Route::side);
}

}  // namespace gramflow
