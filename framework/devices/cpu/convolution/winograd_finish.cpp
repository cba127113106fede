// The result side of Winograd's transforms: 36 products a channel to 4x4 pixels, A^T m A (see
// winograd_points.h), and in the same pass everything that is fused to a convolution.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/convolution/winograd_finish.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include <algorithm>
#include <type_traits>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/convolution/winograd_kernels.h"
#include "framework/devices/cpu/convolution/winograd_points.h"
#include "framework/devices/cpu/mask.h"
#include "framework/devices/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

namespace {

/// A^T m for one column or row of six.
HWY_INLINE void combine(const FloatVector (&m)[6], FloatVector (&y)[4]) {
  const Floats f;
  const FloatVector half = hn::Set(f, 0.5f);
  const FloatVector p = hn::Add(m[1], m[2]);
  const FloatVector q = hn::Sub(m[1], m[2]);
  const FloatVector r = hn::Add(m[3], m[4]);
  const FloatVector t = hn::Sub(m[3], m[4]);
  y[0] = hn::Add(hn::NegMulAdd(half, r, p), m[0]);
  y[1] = hn::Mul(hn::Set(f, point_a), hn::Sub(q, t));
  y[2] = hn::MulSub(half, p, r);
  y[3] = hn::Add(hn::MulAdd(hn::Set(f, 0.5f * point_a), q, hn::Mul(hn::Set(f, -point_b), t)), m[5]);
}

/// The 4x4 results of one tile for lanes() channels.
HWY_INLINE void inverse_transform(const float* products, std::size_t stride, FloatVector (&y)[16]) {
  FloatVector columns[4][6];
#pragma GCC unroll 6
  for (int c = 0; c < 6; ++c) {
    FloatVector m[6], out[4];
#pragma GCC unroll 6
    for (int r = 0; r < 6; ++r)
      m[r] = hn::LoadU(Floats(), products + static_cast<std::size_t>(6 * r + c) * stride);
    combine(m, out);
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) columns[r][c] = out[r];
  }
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    FloatVector out[4];
    combine(columns[r], out);
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) y[4 * r + c] = out[c];
  }
}

/// One tile of the result: where it lies, and how much of it is inside the picture.
struct Place {
  Place(const TileRange& tiles, std::int64_t tile)
      : shape(tiles.shape),
        top(tile / tiles.columns() * 4),
        left(tile % tiles.columns() * 4),
        rows(std::min<std::int64_t>(4, shape.height - top)),
        columns(std::min<std::int64_t>(4, shape.width - left)) {}
  std::int64_t pixel(std::int64_t r, std::int64_t c) const { return (top + r) * shape.width + left + c; }
  bool whole() const { return rows == 4 && columns == 4; }
  Shape shape;
  std::int64_t top, left, rows, columns;
};

/// Calls visit(r, c) for every pixel of the tile; with `whole` the compiler sees all 16.
template <bool whole, class Visit>
HWY_INLINE void for_pixels(const Place& place, Visit&& visit) {
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r)
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c)
      if (whole || (r < place.rows && c < place.columns)) visit(r, c);
}

/// Maxima of the tile's four squares, and which of the four pixels they are (4: nothing positive).
template <bool tail>
HWY_INLINE void pool_tile(const FloatVector (&y)[16], const Place& place, std::size_t channel,
                          std::size_t count, const ConvolutionOutputs& outputs) {
  const Floats f;
  const Integers integers;
  const std::int64_t channels = place.shape.channels;
#pragma GCC unroll 4
  for (int square = 0; square < 4; ++square) {
    const int r = square / 2 * 2;
    const int c = square % 2 * 2;
    if (r + 1 >= place.rows || c + 1 >= place.columns) continue;
    FloatVector best = hn::Zero(f);
    auto which = hn::Set(integers, 4);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      const FloatVector value = y[4 * (r + k / 2) + c + k % 2];
      which = hn::IfThenElse(hn::RebindMask(integers, hn::Gt(value, best)), hn::Set(integers, k), which);
      best = hn::Max(value, best);
    }
    const std::int64_t pixel = ((place.top + r) / 2) * (place.shape.width / 2) + (place.left + c) / 2;
    const std::size_t at = static_cast<std::size_t>(pixel * channels) + channel;
    if (outputs.pooled) store<tail>(best, outputs.pooled + at, count);
    if (outputs.index) store_bytes<tail>(which, outputs.index + at, count);
  }
}

/// What a vector of results is: the last few channels of a pixel, or a whole vector inside the picture;
/// `streamed` goes past the caches, for results larger than they are.
enum class Part { tail, edge, whole, streamed };

template <Part part>
HWY_INLINE void write(FloatVector v, float* to, std::size_t count) {
  if constexpr (part == Part::streamed)
    hn::Stream(v, Floats(), to);
  else
    store<part == Part::tail>(v, to, count);
}

template <Part part>
HWY_INLINE void finish_forward(const float* products, std::size_t stride, const Place& place,
                               std::size_t channel, std::size_t count, const float* bias,
                               const ConvolutionOutputs& outputs) {
  const Floats f;
  constexpr bool tail = part == Part::tail;
  constexpr bool whole = part == Part::whole || part == Part::streamed;
  FloatVector y[16];
  inverse_transform(products, stride, y);
  const FloatVector shift = load<tail>(bias + channel, count);
#pragma GCC unroll 16
  for (int k = 0; k < 16; ++k) {
    y[k] = hn::Add(y[k], shift);
    if (outputs.relu) y[k] = hn::Max(y[k], hn::Zero(f));
  }
  const std::int64_t channels = place.shape.channels;
  if (outputs.output)
    for_pixels<whole>(place, [&](int r, int c) {
      write<part>(y[4 * r + c], outputs.output + place.pixel(r, c) * channels + channel, count);
    });
  if (outputs.mask)
    for_pixels<whole>(place, [&](int r, int c) {
      store_mask<tail>(hn::Gt(y[4 * r + c], hn::Zero(f)),
                       outputs.mask + place.pixel(r, c) * mask_bytes(channels), channel, count);
    });
  if (outputs.pooled || outputs.index) pool_tile<tail>(y, place, channel, count, outputs);
}

template <Part part>
HWY_INLINE void finish_backward(const float* products, std::size_t stride, const Place& place,
                                std::size_t channel, std::size_t count, const ConvolutionGradient& gradient) {
  constexpr bool tail = part == Part::tail;
  constexpr bool whole = part == Part::whole || part == Part::streamed;
  FloatVector y[16];
  inverse_transform(products, stride, y);
  const std::int64_t channels = place.shape.channels;
  for_pixels<whole>(place, [&](int r, int c) {
    float* to = gradient.result + place.pixel(r, c) * channels + channel;
    FloatVector value = y[4 * r + c];
    if (gradient.accumulate) value = hn::Add(load<tail>(to, count), value);
    if (gradient.mask)
      value = hn::IfThenElseZero(
          load_mask<tail>(gradient.mask + place.pixel(r, c) * mask_bytes(channels), channel, count), value);
    write<part>(value, to, count);
  });
}

/// Calls finish(products, place, channel, count, part) for every tile and vector of channels; `part` is a
/// constant.
template <class Finish>
HWY_INLINE void finish_tiles(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                             bool large, Finish&& finish) {
  const std::size_t n = lanes();
  const bool stream = large && n * sizeof(float) == 64;  // in parts of a cache line it would be slower
  for (std::int64_t tile = tiles.begin; tile < tiles.end; ++tile) {
    const Place place(tiles, tile);
    const float* from = products.values + static_cast<std::size_t>(tile - tiles.begin) * products.tile_stride;
    const auto vectors = [&](auto part) {
      for (std::size_t channel = 0; channel + n <= channels.count; channel += n)
        finish(from + channel, place, channels.first + channel, n, part);
    };
    if (!place.whole())
      vectors(std::integral_constant<Part, Part::edge>());
    else if (stream)
      vectors(std::integral_constant<Part, Part::streamed>());
    else
      vectors(std::integral_constant<Part, Part::whole>());
    const std::size_t rest = channels.count % n;
    if (rest > 0)
      finish(from + channels.count - rest, place, channels.first + channels.count - rest, rest,
             std::integral_constant<Part, Part::tail>());
  }
  if (stream) hwy::FlushStream();
}

}  // namespace

void FinishForward(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                   const float* bias, const ConvolutionOutputs& outputs) {
  finish_tiles(products, tiles, channels, goes_past_caches(outputs.output, tiles.shape),
               [&](const float* from, const Place& place, std::size_t channel, std::size_t count, auto part) {
                 finish_forward<part.value>(from, products.position_stride, place, channel, count, bias,
                                            outputs);
               });
}

void FinishBackward(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                    const ConvolutionGradient& gradient) {
  finish_tiles(products, tiles, channels,
               !gradient.accumulate && goes_past_caches(gradient.result, tiles.shape),
               [&](const float* from, const Place& place, std::size_t channel, std::size_t count, auto part) {
                 finish_backward<part.value>(from, products.position_stride, place, channel, count, gradient);
               });
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(FinishForward);
HWY_EXPORT(FinishBackward);

void winograd_finish_forward(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                             const float* bias, const ConvolutionOutputs& outputs) {
  HWY_DYNAMIC_DISPATCH(FinishForward)(products, tiles, channels, bias, outputs);
}
void winograd_finish_backward(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                              const ConvolutionGradient& gradient) {
  HWY_DYNAMIC_DISPATCH(FinishBackward)(products, tiles, channels, gradient);
}

}  // namespace gramflow::cpu
#endif
