// ReLU where it could not be fused into a convolution. The mask has a whole number of bytes a pixel, so
// blocks are runs of pixels and never share a byte.
#include "framework/ops/cpu/blocks.h"
#include "framework/ops/cpu/kernels.h"
#include "framework/ops/cpu/mask.h"

namespace gramflow::cpu {

namespace {
template <class Body>
void for_pixel_blocks(Shape shape, Body&& body) {
  const std::int64_t pixels = rows_per_block(shape.channels, vector_block);
  parallel_for(divide_up(shape.pixels(), pixels), [&](std::int64_t block, int) {
    const std::int64_t end = std::min(shape.pixels(), (block + 1) * pixels);
    for (std::int64_t pixel = block * pixels; pixel < end; ++pixel) body(pixel);
  });
}
}  // namespace

void relu(TensorView input, TensorView output, std::uint8_t* mask_or_null) {
  const std::int64_t channels = input.shape().channels;
  for_pixel_blocks(input.shape(), [&](std::int64_t pixel) {
    const float* in = input.f32() + pixel * channels;
    float* out = output.f32() + pixel * channels;
    if (mask_or_null) write_mask(in, channels, mask_or_null + pixel * mask_bytes(channels));
    for (std::int64_t c = 0; c < channels; ++c) out[c] = in[c] > 0 ? in[c] : 0.0f;
  });
}

void relu_backward(TensorView gradient, const std::uint8_t* mask, TensorView result, bool accumulate) {
  const std::int64_t channels = gradient.shape().channels;
  for_pixel_blocks(gradient.shape(), [&](std::int64_t pixel) {
    const float* in = gradient.f32() + pixel * channels;
    float* out = result.f32() + pixel * channels;
    const std::uint8_t* bits = mask + pixel * mask_bytes(channels);
    if (accumulate) {
      for (std::int64_t c = 0; c < channels; ++c) out[c] += mask_bit(bits, c) ? in[c] : 0.0f;
    } else {
      for (std::int64_t c = 0; c < channels; ++c) out[c] = mask_bit(bits, c) ? in[c] : 0.0f;
    }
  });
}

}  // namespace gramflow::cpu
