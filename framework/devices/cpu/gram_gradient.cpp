// The gradient of a Gram matrix: features times a symmetric matrix of channels, a block of positions at a
// time. Where the result takes the features' place, their values are read from a copy on the stack.
//
// Channel counts that are no multiple of the product's 16 columns go a plain way: no network that matters has
// them.
#include <array>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/gram_kernels.h"
#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

namespace {

constexpr std::int64_t most_positions = 192;         // of a block
using Copy = std::array<float, most_gram_channels>;  // 96 KiB: 48 positions of 512 channels

/// D + D^T over the number of elements.
void make_symmetric(const float* d, Shape features, float* matrix) {
  const std::int64_t channels = features.channels;
  const auto scale = static_cast<float>(1.0 / static_cast<double>(features.elements()));
  parallel_for(channels, [&](std::int64_t i, int) {
    for (std::int64_t j = 0; j < channels; ++j)
      matrix[i * channels + j] = scale * (d[i * channels + j] + d[j * channels + i]);
  });
}

void plain_backward(TensorView features, const float* matrix, TensorView result, bool accumulate) {
  const std::int64_t channels = features.shape().channels;
  parallel_for(divide_up(features.shape().pixels(), most_positions), [&](std::int64_t block, int) {
    Copy sum;
    const std::int64_t end = std::min((block + 1) * most_positions, features.shape().pixels());
    for (std::int64_t p = block * most_positions; p < end; ++p) {
      const float* in = features.f32() + p * channels;
      float* out = result.f32() + p * channels;
      std::fill_n(sum.data(), channels, 0.0F);
      for (std::int64_t i = 0; i < channels; ++i)
        for (std::int64_t j = 0; j < channels; ++j)
          sum[static_cast<std::size_t>(j)] += in[i] * matrix[i * channels + j];
      for (std::int64_t j = 0; j < channels; ++j) {
        const float value = sum[static_cast<std::size_t>(j)];
        out[j] = accumulate ? out[j] + value : value;
      }
    }
  });
}

}  // namespace

std::size_t gram_backward_scratch(Shape features) {
  return static_cast<std::size_t>(features.channels * features.channels) * sizeof(float);
}

void gram_backward(TensorView features, TensorView gram_gradient, TensorView result, bool accumulate,
                   void* scratch) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  auto* matrix = static_cast<float*>(scratch);
  make_symmetric(gram_gradient.f32(), shape, matrix);
  if (channels % 16 != 0) return plain_backward(features, matrix, result, accumulate);
  const bool in_place = result.data == features.data;
  const std::int64_t positions =
      in_place ? std::min(most_positions, most_gram_channels / channels) : most_positions;
  const auto multiply = [&](const float* from, std::int64_t count, float* to) {
    gram_gradient_block(from, matrix, static_cast<std::size_t>(count), static_cast<std::size_t>(channels),
                        accumulate, to);
  };
  parallel_for(divide_up(shape.pixels(), positions), [&](std::int64_t block, int) {
    const std::int64_t begin = block * positions;
    const std::int64_t count = std::min(positions, shape.pixels() - begin);
    const float* from = features.f32() + begin * channels;
    float* to = result.f32() + begin * channels;
    if (!in_place) return multiply(from, count, to);
    Copy copy;
    std::copy_n(from, count * channels, copy.data());
    multiply(copy.data(), count, to);
  });
}

}  // namespace gramflow::cpu
