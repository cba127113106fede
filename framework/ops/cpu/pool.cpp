// 2x2 pooling, stride 2. Blocks are rows of the pooled picture, so in both directions each block owns its
// memory; the row and column that an odd size leaves over get no gradient.
#include <cstring>

#include "framework/ops/cpu/blocks.h"
#include "framework/ops/cpu/kernels.h"

namespace gramflow::cpu {

namespace {

void pool_max_row(const float* upper, const float* lower, std::int64_t columns, std::int64_t channels,
                  float* out, std::uint8_t* index) {
  for (std::int64_t x = 0; x < columns; ++x) {
    const float* corners[4] = {upper + 2 * x * channels, upper + (2 * x + 1) * channels,
                               lower + 2 * x * channels, lower + (2 * x + 1) * channels};
    float* to = out + x * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      float best = corners[0][c];
      std::uint8_t which = 0;
      for (std::uint8_t k = 1; k < 4; ++k) {
        const bool greater = corners[k][c] > best;
        best = greater ? corners[k][c] : best;
        which = greater ? k : which;
      }
      to[c] = best;
      if (index) index[x * channels + c] = which;
    }
  }
}

void pool_average_row(const float* upper, const float* lower, std::int64_t columns, std::int64_t channels,
                      float* out) {
  for (std::int64_t x = 0; x < columns; ++x)
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t left = 2 * x * channels + c;
      const std::int64_t right = left + channels;
      out[x * channels + c] = 0.25f * ((upper[left] + upper[right]) + (lower[left] + lower[right]));
    }
}

/// Gradient of one pooled row into one of its two source rows.
void spread_row(PoolKind kind, const float* gradient, const std::uint8_t* index, int which_row,
                std::int64_t columns, std::int64_t channels, bool accumulate, float* out) {
  for (std::int64_t x = 0; x < columns; ++x)
    for (int side = 0; side < 2; ++side) {
      float* to = out + (2 * x + side) * channels;
      const float* from = gradient + x * channels;
      const std::uint8_t* chosen = index ? index + x * channels : nullptr;
      const int corner = 2 * which_row + side;
      for (std::int64_t c = 0; c < channels; ++c) {
        const float value =
            kind == PoolKind::average ? 0.25f * from[c] : (chosen[c] == corner ? from[c] : 0.0f);
        to[c] = accumulate ? to[c] + value : value;
      }
    }
}

}  // namespace

void pool(PoolKind kind, TensorView input, TensorView output, std::uint8_t* index_or_null) {
  const Shape in = input.shape();
  const Shape out = output.shape();
  parallel_for(out.height, [&](std::int64_t y, int) {
    const float* upper = input.f32() + 2 * y * in.width * in.channels;
    const float* lower = upper + in.width * in.channels;
    const std::int64_t row = y * out.width * out.channels;
    if (kind == PoolKind::max)
      pool_max_row(upper, lower, out.width, out.channels, output.f32() + row,
                   index_or_null ? index_or_null + row : nullptr);
    else
      pool_average_row(upper, lower, out.width, out.channels, output.f32() + row);
  });
}

void pool_backward(PoolKind kind, TensorView gradient, const std::uint8_t* index, TensorView result,
                   bool accumulate) {
  const Shape out = gradient.shape();
  const Shape in = result.shape();
  parallel_for(in.height, [&](std::int64_t y, int) {
    float* to = result.f32() + y * in.width * in.channels;
    const std::int64_t row = (y / 2) * out.width * out.channels;
    const bool covered = y / 2 < out.height;
    const std::int64_t columns = covered ? out.width : 0;
    if (covered)
      spread_row(kind, gradient.f32() + row, kind == PoolKind::max ? index + row : nullptr,
                 static_cast<int>(y % 2), columns, out.channels, accumulate, to);
    if (!accumulate)
      std::memset(to + 2 * columns * in.channels, 0,
                  static_cast<std::size_t>((in.width - 2 * columns) * in.channels) * sizeof(float));
  });
}

}  // namespace gramflow::cpu
