// Winograd F(4x4,3x3) with the points 0, +-a, +-b, infinity, a = 1/sqrt(2), b = sqrt(2):
//   result tile = A^T [ (G g G^T) * (B^T d B) ] A
// B^T is 1 or 2.5 or a or b in every entry, and the products with them fuse into the sums:
//   0: d0 - 2.5 d2 + d4      +-a: (d4 - 2 d2) +- a (d3 - 2 d1)     +-b: (d4 - d2/2) +- b (d3 - d1/2)     inf:
//   d1 - 2.5 d3 + d5
// and with p = m1 + m2, q = m1 - m2, r = m3 + m4, t = m3 - m4
//   A^T m = m0 + p - r/2,  a (q - t),  p/2 - r,  (a/2) q - b t + m5
// The points are closed under inversion (a b = 1), and their scales are chosen so that flipping the 3x3
// filter only permutes the 36 transformed weights. They are also closer to 1 than the usual 0, +-1, +-2,
// which costs less accuracy.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/ops/cpu/winograd_kernels.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include "framework/ops/cpu/border.h"
#include "framework/ops/cpu/mask.h"
#include "framework/ops/cpu/product-inl.h"
#include "framework/ops/cpu/winograd_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

namespace {

constexpr float point_a = 0.70710678118654752f;
constexpr float point_b = 1.41421356237309505f;

/// One row of B^T d B: six numbers times B.
HWY_INLINE void store_transformed_row(const FloatVector (&d)[6], float* to, std::size_t stride) {
  const Floats f;
  const FloatVector two_and_half = hn::Set(f, 2.5f);
  const FloatVector two = hn::Set(f, 2.0f);
  const FloatVector half = hn::Set(f, 0.5f);
  const FloatVector a = hn::Set(f, point_a);
  const FloatVector b = hn::Set(f, point_b);
  const FloatVector even_a = hn::NegMulAdd(two, d[2], d[4]);
  const FloatVector odd_a = hn::NegMulAdd(two, d[1], d[3]);
  const FloatVector even_b = hn::NegMulAdd(half, d[2], d[4]);
  const FloatVector odd_b = hn::NegMulAdd(half, d[1], d[3]);
  hn::StoreU(hn::Add(hn::NegMulAdd(two_and_half, d[2], d[0]), d[4]), f, to);
  hn::StoreU(hn::MulAdd(a, odd_a, even_a), f, to + stride);
  hn::StoreU(hn::NegMulAdd(a, odd_a, even_a), f, to + 2 * stride);
  hn::StoreU(hn::MulAdd(b, odd_b, even_b), f, to + 3 * stride);
  hn::StoreU(hn::NegMulAdd(b, odd_b, even_b), f, to + 4 * stride);
  hn::StoreU(hn::Add(hn::NegMulAdd(two_and_half, d[3], d[1]), d[5]), f, to + 5 * stride);
}

/// B^T d B of one window. Rows are made in pairs that share their loads, so that a pair fits the registers.
template <class Window>
HWY_INLINE void transform_window(const Window& d, float* to, std::size_t stride) {
  const Floats f;
  const FloatVector two_and_half = hn::Set(f, 2.5f);
  FloatVector upper[6], lower[6];
#pragma GCC unroll 6
  for (int c = 0; c < 6; ++c) {
    upper[c] = hn::Add(hn::NegMulAdd(two_and_half, d(2, c), d(0, c)), d(4, c));
    lower[c] = hn::Add(hn::NegMulAdd(two_and_half, d(3, c), d(1, c)), d(5, c));
  }
  store_transformed_row(upper, to, stride);
  store_transformed_row(lower, to + 30 * stride, stride);
#pragma GCC unroll 2
  for (int pair = 0; pair < 2; ++pair) {
    const FloatVector square = hn::Set(f, pair == 0 ? 2.0f : 0.5f);
    const FloatVector point = hn::Set(f, pair == 0 ? point_a : point_b);
#pragma GCC unroll 6
    for (int c = 0; c < 6; ++c) {
      const FloatVector even = hn::NegMulAdd(square, d(2, c), d(4, c));
      const FloatVector odd = hn::NegMulAdd(square, d(1, c), d(3, c));
      upper[c] = hn::MulAdd(point, odd, even);
      lower[c] = hn::NegMulAdd(point, odd, even);
    }
    store_transformed_row(upper, to + static_cast<std::size_t>(6 + 12 * pair) * stride, stride);
    store_transformed_row(lower, to + static_cast<std::size_t>(12 + 12 * pair) * stride, stride);
  }
}

/// The 36 pixels of a window that starts at (top, left), as pointers to their channels.
struct PictureWindow {
  PictureWindow(const TileSource& source, Shape shape, std::int64_t top, std::int64_t left)
      : ahead(4 * 2 * shape.channels) {
    std::int64_t columns[6];
    for (int c = 0; c < 6; ++c) columns[c] = border_source(left + c, shape.width, source.border);
    for (int r = 0; r < 6; ++r) {
      const std::int64_t row = border_source(top + r, shape.height, source.border);
      for (int c = 0; c < 6; ++c)
        pixels[6 * r + c] = row < 0 || columns[c] < 0
                                ? source.zeros
                                : source.picture + (row * shape.width + columns[c]) * shape.channels;
    }
  }
  template <bool tail>
  HWY_INLINE void transform(std::size_t channel, std::size_t count, float* to, std::size_t stride) const {
    // The window after the next goes on in these rows; the cache's own prefetcher does not follow six rows at
    // once.
    for (int r = 0; r < 6; ++r)
      for (int c = 2; c < 6; ++c) hwy::Prefetch(pixels[6 * r + c] + ahead + channel);
    transform_window([&](int r, int c) { return load<tail>(pixels[6 * r + c] + channel, count); }, to,
                     stride);
  }
  std::int64_t ahead;
  const float* pixels[36];
};

/// The same for a gradient that came through a 2x2 pooling: of each pooled pixel's four, one at most is not
/// zero. A window starts at an odd row and column, so it touches 4x4 pooled pixels and only half of the outer
/// ones.
struct PooledWindow {
  PooledWindow(const TileSource& source, Shape shape, std::int64_t top, std::int64_t left)
      : source_(source), channels_(shape.channels) {
    for (int r = 0; r < 4; ++r)
      for (int c = 0; c < 4; ++c) {
        const std::int64_t y = (top + 1) / 2 - 1 + r;
        const std::int64_t x = (left + 1) / 2 - 1 + c;
        const bool inside = y >= 0 && y < shape.height / 2 && x >= 0 && x < shape.width / 2;
        offsets_[4 * r + c] = inside ? (y * (shape.width / 2) + x) * channels_ : -1;
      }
  }
  template <bool tail>
  HWY_INLINE void transform(std::size_t channel, std::size_t count, float* to, std::size_t stride) const {
    const Floats f;
    const Integers integers;
    FloatVector window[36];
    for (int r = 0; r < 4; ++r)
      for (int c = 0; c < 4; ++c) {
        const std::int64_t offset = offsets_[4 * r + c];
        FloatVector value = hn::Zero(f);
        auto corner = hn::Set(integers, 4);
        if (offset >= 0) {
          value = load<tail>(source_.pooled + offset + channel, count);
          corner = load_bytes(source_.index + offset + channel, count);
        }
        for (int k = 0; k < 4; ++k) {
          const int y = 2 * r + k / 2 - 1;
          const int x = 2 * c + k % 2 - 1;
          if (y < 0 || y >= 6 || x < 0 || x >= 6) continue;
          const auto chosen = hn::Eq(corner, hn::Set(integers, k));
          window[6 * y + x] = hn::IfThenElseZero(hn::RebindMask(f, chosen), value);
        }
      }
    transform_window([&](int r, int c) { return window[6 * r + c]; }, to, stride);
  }

 private:
  const TileSource& source_;
  std::int64_t channels_;
  std::int64_t offsets_[16];
};

template <class Window>
void transform_tiles(const TileSource& source, const TileRange& tiles, const TransformedBlock& to) {
  const std::size_t channels = static_cast<std::size_t>(tiles.shape.channels);
  const std::size_t n = lanes();
  for (std::int64_t tile = tiles.begin; tile < tiles.end; ++tile) {
    const Window window(source, tiles.shape, tile / tiles.columns() * 4 - 1, tile % tiles.columns() * 4 - 1);
    float* out = to.values + static_cast<std::size_t>(tile - tiles.begin) * to.tile_stride;
    std::size_t channel = 0;
    for (; channel + n <= channels; channel += n)
      window.template transform<false>(channel, n, out + channel, to.position_stride);
    if (channel < channels)
      window.template transform<true>(channel, channels - channel, out + channel, to.position_stride);
  }
}

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
    if (outputs.index) store_bytes(which, outputs.index + at, count);
  }
}

template <bool tail, bool whole>
HWY_INLINE void finish_forward(const float* products, std::size_t stride, const Place& place,
                               std::size_t channel, std::size_t count, const float* bias,
                               const ConvolutionOutputs& outputs) {
  const Floats f;
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
      store<tail>(y[4 * r + c], outputs.output + place.pixel(r, c) * channels + channel, count);
    });
  if (outputs.mask)
    for_pixels<whole>(place, [&](int r, int c) {
      store_mask(hn::Gt(y[4 * r + c], hn::Zero(f)), outputs.mask + place.pixel(r, c) * mask_bytes(channels),
                 channel, count);
    });
  if (outputs.pooled || outputs.index) pool_tile<tail>(y, place, channel, count, outputs);
}

template <bool tail, bool whole>
HWY_INLINE void finish_backward(const float* products, std::size_t stride, const Place& place,
                                std::size_t channel, std::size_t count, const ConvolutionGradient& gradient) {
  FloatVector y[16];
  inverse_transform(products, stride, y);
  const std::int64_t channels = place.shape.channels;
  for_pixels<whole>(place, [&](int r, int c) {
    float* to = gradient.result + place.pixel(r, c) * channels + channel;
    FloatVector value = y[4 * r + c];
    if (gradient.accumulate) value = hn::Add(load<tail>(to, count), value);
    if (gradient.mask)
      value = hn::IfThenElseZero(
          load_mask(gradient.mask + place.pixel(r, c) * mask_bytes(channels), channel, count), value);
    store<tail>(value, to, count);
  });
}

/// Calls finish(products, place, channel, count, tail, whole) for every tile and vector of channels.
template <class Finish>
HWY_INLINE void finish_tiles(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                             Finish&& finish) {
  const std::size_t n = lanes();
  for (std::int64_t tile = tiles.begin; tile < tiles.end; ++tile) {
    const Place place(tiles, tile);
    const float* from = products.values + static_cast<std::size_t>(tile - tiles.begin) * products.tile_stride;
    std::size_t channel = 0;
    for (; channel + n <= channels.count; channel += n) {
      if (place.whole())
        finish(from + channel, place, channels.first + channel, n, std::false_type(), std::true_type());
      else
        finish(from + channel, place, channels.first + channel, n, std::false_type(), std::false_type());
    }
    if (channel < channels.count)
      finish(from + channel, place, channels.first + channel, channels.count - channel, std::true_type(),
             std::false_type());
  }
}

}  // namespace

void TransformSource(const TileSource& source, const TileRange& tiles, const TransformedBlock& to) {
  if (source.pooled)
    transform_tiles<PooledWindow>(source, tiles, to);
  else
    transform_tiles<PictureWindow>(source, tiles, to);
}

void Multiply(const TransformedBlock& transformed, const float* panel, std::size_t tiles, std::size_t depth,
              std::size_t width, const TransformedBlock& products) {
  for (std::size_t k = 0; k < winograd_positions; ++k) {
    const Operands operands{transformed.values + k * transformed.position_stride,
                            transformed.tile_stride,
                            1,
                            panel + k * depth * width,
                            width,
                            products.values + k * products.position_stride,
                            products.tile_stride,
                            depth};
    product<false, Target::overwrite>(operands, tiles, width);
  }
}

void FinishForward(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                   const float* bias, const ConvolutionOutputs& outputs) {
  finish_tiles(products, tiles, channels,
               [&](const float* from, const Place& place, std::size_t channel, std::size_t count, auto tail,
                   auto whole) {
                 finish_forward<tail.value, whole.value>(from, products.position_stride, place, channel,
                                                         count, bias, outputs);
               });
}

void FinishBackward(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                    const ConvolutionGradient& gradient) {
  finish_tiles(products, tiles, channels,
               [&](const float* from, const Place& place, std::size_t channel, std::size_t count, auto tail,
                   auto whole) {
                 finish_backward<tail.value, whole.value>(from, products.position_stride, place, channel,
                                                          count, gradient);
               });
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(TransformSource);
HWY_EXPORT(Multiply);
HWY_EXPORT(FinishForward);
HWY_EXPORT(FinishBackward);

void winograd_transform_source(const TileSource& source, const TileRange& tiles, const TransformedBlock& to) {
  HWY_DYNAMIC_DISPATCH(TransformSource)(source, tiles, to);
}
void winograd_multiply(const TransformedBlock& transformed, const float* panel, std::size_t tiles,
                       std::size_t depth, std::size_t width, const TransformedBlock& products) {
  HWY_DYNAMIC_DISPATCH(Multiply)(transformed, panel, tiles, depth, width, products);
}
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
