// Gram matrices as symmetric products. Pixels are cut into blocks; a task makes 64 rows of one block's
// product, up to the diagonal, and the blocks' sums are added in double and in block order. The number of
// blocks follows from the shape: enough to share the work, few enough that the partial matrices stay small.
//
// Channel counts that are no multiple of the product's 16 columns go a plain way: no network that matters has
// them.
#include "framework/ops/cpu/blocks.h"
#include "framework/ops/cpu/gram_kernels.h"
#include "framework/ops/cpu/kernels.h"

namespace gramflow::cpu {

namespace {

constexpr std::int64_t panel_rows = 64;
constexpr std::int64_t fewest_pixels = 1024;                    // of a block
constexpr std::int64_t partial_floats = std::int64_t{1} << 21;  // of all blocks together
constexpr std::int64_t backward_pixels = 192;                   // of a block going back

bool suits_product(const Shape& shape) { return shape.channels % 16 == 0; }

std::int64_t block_count(const Shape& shape) {
  const std::int64_t most =
      std::clamp<std::int64_t>(partial_floats / (shape.channels * shape.channels), 1, 64);
  return std::clamp<std::int64_t>(divide_up(shape.pixels(), fewest_pixels), 1, most);
}

/// One row of the matrix a task, in double.
void plain_gram(const TensorView& features, float* gram) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  const double scale = 1.0 / static_cast<double>(shape.elements());
  parallel_for(channels, [&](std::int64_t i, int) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (std::int64_t p = 0; p < shape.pixels(); ++p)
        sum += static_cast<double>(features.f32()[p * channels + i]) *
               static_cast<double>(features.f32()[p * channels + j]);
      gram[i * channels + j] = gram[j * channels + i] = static_cast<float>(sum * scale);
    }
  });
}

/// One pixel a step, in the row buffer of its worker.
void plain_backward(const TensorView& features, const float* matrix, const TensorView& result,
                    bool accumulate, float* rows) {
  const std::int64_t channels = features.shape().channels;
  parallel_for(features.shape().pixels(), [&](std::int64_t p, int worker) {
    float* sum = rows + worker * backward_pixels * channels;
    const float* in = features.f32() + p * channels;
    for (std::int64_t j = 0; j < channels; ++j) sum[j] = 0;
    for (std::int64_t i = 0; i < channels; ++i)
      for (std::int64_t j = 0; j < channels; ++j) sum[j] += in[i] * matrix[i * channels + j];
    float* out = result.f32() + p * channels;
    for (std::int64_t j = 0; j < channels; ++j) out[j] = accumulate ? out[j] + sum[j] : sum[j];
  });
}

}  // namespace

std::size_t gram_scratch(Shape shape) {
  return static_cast<std::size_t>(block_count(shape) * shape.channels * shape.channels) * sizeof(float);
}

void gram(TensorView features, TensorView gram, void* scratch) {
  const Shape shape = features.shape();
  if (!suits_product(shape)) return plain_gram(features, gram.f32());
  const std::int64_t channels = shape.channels;
  const std::int64_t blocks = block_count(shape);
  const std::int64_t panels = divide_up(channels, panel_rows);
  const std::int64_t pixels = divide_up(shape.pixels(), blocks);
  float* partial = static_cast<float*>(scratch);
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  parallel_for(blocks * panels, [&](std::int64_t task, int) {
    const std::int64_t block = task / panels;
    const std::int64_t panel = panels - 1 - task % panels;  // the longest rows first
    const std::int64_t begin = std::min(block * pixels, shape.pixels());
    const std::int64_t end = std::min(begin + pixels, shape.pixels());
    const std::int64_t last = std::min(channels, (panel + 1) * panel_rows);
    float* matrix = partial + block * channels * channels;
    if (begin == end)
      std::fill(matrix + panel * panel_rows * channels, matrix + last * channels, 0.0F);
    else
      gram_block(features.f32() + begin * channels, size(end - begin), size(channels),
                 size(panel * panel_rows), size(last), matrix);
  });
  const double scale = 1.0 / static_cast<double>(shape.elements());
  parallel_for(channels, [&](std::int64_t i, int) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (std::int64_t block = 0; block < blocks; ++block)
        sum += static_cast<double>(partial[(block * channels + i) * channels + j]);
      gram.f32()[i * channels + j] = gram.f32()[j * channels + i] = static_cast<float>(sum * scale);
    }
  });
}

std::size_t gram_backward_scratch(Shape features) {
  return static_cast<std::size_t>(features.channels *
                                  (features.channels + backward_pixels * worker_limit())) *
         sizeof(float);
}

void gram_backward(TensorView features, TensorView gram_gradient, TensorView result, bool accumulate,
                   void* scratch) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  const auto scale = static_cast<float>(1.0 / static_cast<double>(shape.elements()));
  float* matrix = static_cast<float*>(scratch);
  float* buffers = matrix + channels * channels;
  const float* d = gram_gradient.f32();
  parallel_for(channels, [&](std::int64_t i, int) {
    for (std::int64_t j = 0; j < channels; ++j)
      matrix[i * channels + j] = scale * (d[i * channels + j] + d[j * channels + i]);
  });
  if (!suits_product(shape)) return plain_backward(features, matrix, result, accumulate, buffers);
  const bool in_place = result.data == features.data;
  parallel_for(divide_up(shape.pixels(), backward_pixels), [&](std::int64_t block, int worker) {
    const std::int64_t begin = block * backward_pixels;
    const std::int64_t count = std::min(backward_pixels, shape.pixels() - begin);
    const float* from = features.f32() + begin * channels;
    float* to = result.f32() + begin * channels;
    float* buffer = in_place || accumulate ? buffers + worker * backward_pixels * channels : to;
    gram_backward_block(from, matrix, static_cast<std::size_t>(count), static_cast<std::size_t>(channels),
                        buffer);
    if (accumulate)
      for (std::int64_t i = 0; i < count * channels; ++i) to[i] += buffer[i];
    else if (in_place)
      std::copy_n(buffer, count * channels, to);
  });
}

}  // namespace gramflow::cpu
