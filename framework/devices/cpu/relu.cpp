// ReLU where it could not be fused into a convolution. The mask has a whole number of bytes a pixel, so
// blocks are runs of pixels and never share a byte.
#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/element_kernels.h"
#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/mask.h"

namespace gramflow::cpu {

namespace {
/// body(first pixel, pixels) for every block.
template <class Body>
void for_pixel_blocks(Shape shape, Body&& body) {
  const std::int64_t pixels = rows_per_block(shape.channels, vector_block);
  parallel_for(divide_up(shape.pixels(), pixels), [&](std::int64_t block, int) {
    const std::int64_t begin = block * pixels;
    body(begin, static_cast<std::size_t>(std::min(shape.pixels() - begin, pixels)));
  });
}
}  // namespace

void relu(TensorView input, TensorView output, std::uint8_t* mask_or_null) {
  const std::int64_t channels = input.shape().channels;
  for_pixel_blocks(input.shape(), [&](std::int64_t pixel, std::size_t pixels) {
    relu_pixels(input.f32() + pixel * channels, pixels, static_cast<std::size_t>(channels),
                output.f32() + pixel * channels,
                mask_or_null ? mask_or_null + pixel * mask_bytes(channels) : nullptr);
  });
}

void relu_backward(TensorView gradient, const std::uint8_t* mask, TensorView result, bool accumulate) {
  const std::int64_t channels = gradient.shape().channels;
  for_pixel_blocks(gradient.shape(), [&](std::int64_t pixel, std::size_t pixels) {
    relu_gradient_pixels(gradient.f32() + pixel * channels, mask + pixel * mask_bytes(channels), pixels,
                         static_cast<std::size_t>(channels), accumulate, result.f32() + pixel * channels);
  });
}

}  // namespace gramflow::cpu
