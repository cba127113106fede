// Gram matrices. Pixels are cut into blocks; every block's C x C product is summed on its own in float and
// the blocks' sums are added in block order.
#include "framework/ops/cpu/blocks.h"
#include "framework/ops/cpu/kernels.h"

namespace gramflow::cpu {

namespace {
constexpr std::int64_t row_block = 8;
}

std::size_t gram_scratch(Shape) { return 64; }

void gram(TensorView features, TensorView gram, void*) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  const double scale = 1.0 / static_cast<double>(shape.elements());
  parallel_for(divide_up(channels, row_block), [&](std::int64_t block, int) {
    const std::int64_t end = std::min(channels, (block + 1) * row_block);
    for (std::int64_t i = block * row_block; i < end; ++i)
      for (std::int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (std::int64_t p = 0; p < shape.pixels(); ++p)
          sum += static_cast<double>(features.f32()[p * channels + i]) *
                 static_cast<double>(features.f32()[p * channels + j]);
        gram.f32()[i * channels + j] = gram.f32()[j * channels + i] = static_cast<float>(sum * scale);
      }
  });
}

std::size_t gram_backward_scratch(Shape features) {
  return static_cast<std::size_t>(features.channels * (features.channels + worker_limit())) * sizeof(float);
}

void gram_backward(TensorView features, TensorView gram_gradient, TensorView result, bool accumulate,
                   void* scratch) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  const float scale = static_cast<float>(1.0 / static_cast<double>(shape.elements()));
  float* symmetric = static_cast<float*>(scratch);
  float* rows = symmetric + channels * channels;
  const float* d = gram_gradient.f32();
  parallel_for(channels, [&](std::int64_t i, int) {
    for (std::int64_t j = 0; j < channels; ++j)
      symmetric[i * channels + j] = scale * (d[i * channels + j] + d[j * channels + i]);
  });
  parallel_for(shape.pixels(), [&](std::int64_t p, int worker) {
    float* sum = rows + worker * channels;
    const float* in = features.f32() + p * channels;
    for (std::int64_t j = 0; j < channels; ++j) sum[j] = 0;
    for (std::int64_t i = 0; i < channels; ++i)
      for (std::int64_t j = 0; j < channels; ++j) sum[j] += in[i] * symmetric[i * channels + j];
    float* out = result.f32() + p * channels;
    for (std::int64_t j = 0; j < channels; ++j) out[j] = accumulate ? out[j] + sum[j] : sum[j];
  });
}

}  // namespace gramflow::cpu
