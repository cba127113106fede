// Blocks are rows of the pooled picture going forward, and rows of the input going back.
#include "framework/devices/cpu/scaled_pool.h"

#include <algorithm>
#include <cmath>

#include "framework/devices/cpu/blocks.h"

namespace gramflow::cpu {
namespace {

/// The four values of one channel, in row order.
struct Square {
  const float* upper;
  const float* lower;
  std::int64_t channels;
  float at(std::int64_t column, std::int64_t c, int which) const {
    const float* row = which < 2 ? upper : lower;
    return row[(2 * column + which % 2) * channels + c];
  }
};

template <PoolingKind kind>
float pooled(const Square& square, std::int64_t x, std::int64_t c) {
  const float a = square.at(x, c, 0), b = square.at(x, c, 1), d = square.at(x, c, 2), e = square.at(x, c, 3);
  if constexpr (kind == PoolingKind::max) return std::max(std::max(a, b), std::max(d, e));
  if constexpr (kind == PoolingKind::average) return 0.25F * ((a + b) + (d + e));
  return std::sqrt((a * a + b * b) + (d * d + e * e));
}

/// The derivative of pooled() with respect to the value number `which`.
template <PoolingKind kind>
float slope(const Square& square, std::int64_t x, std::int64_t c, int which) {
  if constexpr (kind == PoolingKind::average) return 0.25F;
  const float value = square.at(x, c, which);
  const float whole = pooled<kind>(square, x, c);
  if constexpr (kind == PoolingKind::l2) return whole > 0 ? value / whole : 0.0F;
  if (value != whole) return 0;
  for (int before = 0; before < which; ++before)
    if (square.at(x, c, before) == whole) return 0;
  return 1;
}

template <PoolingKind kind>
void forward(float scale, const TensorView& input, const TensorView& output) {
  const Shape in = input.shape(), out = output.shape();
  parallel_for(out.height, [&](std::int64_t y, int) {
    const float* upper = input.f32() + 2 * y * in.width * in.channels;
    const Square square{upper, upper + in.width * in.channels, in.channels};
    float* to = output.f32() + y * out.width * out.channels;
    for (std::int64_t x = 0; x < out.width; ++x)
      for (std::int64_t c = 0; c < out.channels; ++c)
        to[x * out.channels + c] = scale * pooled<kind>(square, x, c);
  });
}

template <PoolingKind kind>
void backward(float scale, const TensorView& gradient, const float* input, const TensorView& result,
              bool accumulate) {
  const Shape in = result.shape(), out = gradient.shape();
  parallel_for(in.height, [&](std::int64_t y, int) {
    float* to = result.f32() + y * in.width * in.channels;
    if (!accumulate) std::fill_n(to, in.width * in.channels, 0.0F);
    const std::int64_t row = y / 2;
    if (row >= out.height) return;
    const float* upper = input != nullptr ? input + 2 * row * in.width * in.channels : nullptr;
    const Square square{upper, input != nullptr ? upper + in.width * in.channels : nullptr, in.channels};
    const float* from = gradient.f32() + row * out.width * out.channels;
    for (std::int64_t x = 0; x < 2 * out.width; ++x)
      for (std::int64_t c = 0; c < in.channels; ++c)
        to[x * in.channels + c] += scale * from[x / 2 * out.channels + c] *
                                   slope<kind>(square, x / 2, c, static_cast<int>(y % 2 * 2 + x % 2));
  });
}

}  // namespace

void scaled_pool(PoolingKind kind, float scale, TensorView input, TensorView output) {
  if (kind == PoolingKind::max) return forward<PoolingKind::max>(scale, input, output);
  if (kind == PoolingKind::average) return forward<PoolingKind::average>(scale, input, output);
  forward<PoolingKind::l2>(scale, input, output);
}

void scaled_pool_backward(PoolingKind kind, float scale, TensorView gradient, TensorView input,
                          TensorView result, bool accumulate) {
  if (kind == PoolingKind::max)
    return backward<PoolingKind::max>(scale, gradient, input.f32(), result, accumulate);
  if (kind == PoolingKind::average)
    return backward<PoolingKind::average>(scale, gradient, nullptr, result, accumulate);
  backward<PoolingKind::l2>(scale, gradient, input.f32(), result, accumulate);
}

}  // namespace gramflow::cpu
