#include "framework/ops/channel_affine.h"

namespace gramflow {

std::vector<TensorDesc> ChannelAffine::infer(std::span<const TensorDesc> inputs) const {
  if (inputs[0].shape.channels != 3)
    throw ShapeError("it takes a picture of 3 channels, found " + inputs[0].shape.to_string());
  return {inputs[0]};
}

void ChannelAffine::gradient(GradientBuilder& builder) const {
  if (builder.wanted(0))
    builder.contribute(0, std::make_shared<ChannelAffineBackward>(map_),
                       {builder.output_gradient(0), no_tensor}, GradientBuilder::Route::trunk);
}

ChannelAffineBackward::ChannelAffineBackward(const ChannelMap& forward) {
  for (std::size_t c = 0; c < 3; ++c) {
    const auto from = static_cast<std::size_t>(forward.source[c]);
    transposed_.source[from] = static_cast<int>(c);
    transposed_.factor[from] = forward.factor[c];
  }
}

std::vector<TensorDesc> ChannelAffineBackward::infer(std::span<const TensorDesc> inputs) const {
  return {inputs[gradient_of_output]};
}

}  // namespace gramflow
