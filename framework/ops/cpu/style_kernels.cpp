// Blocks of elements or of pixels, one sum a block in double, added in block order.
#include "framework/ops/cpu/style_kernels.h"

#include <algorithm>
#include <cmath>

#include "framework/ops/cpu/blocks.h"

namespace gramflow::cpu {
namespace {

constexpr std::int64_t moment_blocks = 64;  // at most
constexpr std::int64_t fewest_pixels = 256;

std::int64_t pixel_blocks(Shape shape) {
  return std::clamp<std::int64_t>(divide_up(shape.pixels(), fewest_pixels), 1, moment_blocks);
}

}  // namespace

std::size_t difference_sums_scratch(Shape shape) {
  return static_cast<std::size_t>(vector_blocks(shape.elements())) * sizeof(DifferenceSums);
}

DifferenceSums difference_sums(TensorView a, TensorView b, void* scratch) {
  auto* sums = static_cast<DifferenceSums*>(scratch);
  const std::int64_t elements = a.shape().elements();
  for_vector_blocks(elements, [&](std::int64_t begin, std::int64_t end) {
    DifferenceSums sum;
    for (std::int64_t i = begin; i < end; ++i) {
      const double difference = static_cast<double>(a.f32()[i]) - static_cast<double>(b.f32()[i]);
      sum.squares += difference * difference;
      sum.magnitudes += std::fabs(difference);
    }
    sums[begin / vector_block] = sum;
  });
  DifferenceSums total;
  for (std::int64_t block = 0; block < vector_blocks(elements); ++block) {
    total.squares += sums[block].squares;
    total.magnitudes += sums[block].magnitudes;
  }
  return total;
}

void difference_gradient(TensorView a, TensorView b, double linear, double constant, TensorView result,
                         bool accumulate) {
  const auto slope = static_cast<float>(linear);
  const auto step = static_cast<float>(constant);
  float* out = result.f32();
  for_vector_blocks(a.shape().elements(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float difference = a.f32()[i] - b.f32()[i];
      const float sign = static_cast<float>(difference > 0) - static_cast<float>(difference < 0);
      const float gradient = slope * difference + step * sign;
      out[i] = accumulate ? out[i] + gradient : gradient;
    }
  });
}

std::size_t channel_moments_scratch(Shape features) {
  return static_cast<std::size_t>(pixel_blocks(features) * 2 * features.channels) * sizeof(double);
}

void channel_moments(TensorView features, double* mean, double* mean_square, void* scratch) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  const std::int64_t blocks = pixel_blocks(shape);
  const std::int64_t pixels = divide_up(shape.pixels(), blocks);
  auto* partial = static_cast<double*>(scratch);
  parallel_for(blocks, [&](std::int64_t block, int) {
    double* sums = partial + block * 2 * channels;
    double* squares = sums + channels;
    std::fill_n(sums, 2 * channels, 0.0);
    const std::int64_t end = std::min((block + 1) * pixels, shape.pixels());
    for (std::int64_t p = block * pixels; p < end; ++p)
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto value = static_cast<double>(features.f32()[p * channels + c]);
        sums[c] += value;
        squares[c] += value * value;
      }
  });
  const double scale = 1.0 / static_cast<double>(shape.pixels());
  for (std::int64_t c = 0; c < channels; ++c) {
    double sum = 0, square = 0;
    for (std::int64_t block = 0; block < blocks; ++block) {
      sum += partial[block * 2 * channels + c];
      square += partial[(block * 2 + 1) * channels + c];
    }
    if (mean != nullptr) mean[c] = sum * scale;
    if (mean_square != nullptr) mean_square[c] = square * scale;
  }
}

void channel_moments_backward(TensorView features, const double* mean_gradient, const double* square_gradient,
                              TensorView result, bool accumulate) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  const double scale = 1.0 / static_cast<double>(shape.pixels());
  const std::int64_t rows = rows_per_block(channels, vector_block);
  parallel_for(divide_up(shape.pixels(), rows), [&](std::int64_t block, int) {
    const std::int64_t end = std::min((block + 1) * rows, shape.pixels());
    for (std::int64_t p = block * rows; p < end; ++p)
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t i = p * channels + c;
        double gradient = mean_gradient != nullptr ? mean_gradient[c] : 0.0;
        if (square_gradient != nullptr)
          gradient += 2 * static_cast<double>(features.f32()[i]) * square_gradient[c];
        const auto value = static_cast<float>(gradient * scale);
        result.f32()[i] = accumulate ? result.f32()[i] + value : value;
      }
  });
}

}  // namespace gramflow::cpu
