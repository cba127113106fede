// The source side of Winograd's transforms: windows of 6x6 pixels to 36 numbers a channel, B^T d B (see
// winograd_points.h).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/convolution/winograd_source.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include "framework/devices/cpu/border.h"
#include "framework/devices/cpu/convolution/winograd_kernels.h"
#include "framework/devices/cpu/convolution/winograd_points.h"
#include "framework/devices/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

namespace {

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
          corner = load_bytes<tail>(source_.index + offset + channel, count);
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

}  // namespace

void TransformSource(const TileSource& source, const TileRange& tiles, const TransformedBlock& to) {
  if (source.pooled)
    transform_tiles<PooledWindow>(source, tiles, to);
  else
    transform_tiles<PictureWindow>(source, tiles, to);
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(TransformSource);

void winograd_transform_source(const TileSource& source, const TileRange& tiles, const TransformedBlock& to) {
  HWY_DYNAMIC_DISPATCH(TransformSource)(source, tiles, to);
}

}  // namespace gramflow::cpu
#endif
