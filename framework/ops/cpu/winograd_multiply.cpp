// The 36 matrix products of a block. The data gradient's weights are the forward ones with the channels'
// roles swapped and the positions permuted, so big filters are kept once and turned a panel at a time, in
// cache: 4x4 floats after the other.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/ops/cpu/winograd_multiply.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include "framework/ops/cpu/product-inl.h"
#include "framework/ops/cpu/winograd_kernels.h"
#include "framework/ops/cpu/winograd_points.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

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

namespace {

#if HWY_TARGET == HWY_SCALAR
inline constexpr std::size_t square = 1;
#elif HWY_TARGET == HWY_SSE4
inline constexpr std::size_t square = 4;
#else
inline constexpr std::size_t square = 8;
#endif

/// to[c][r] = from[r][c] for a square of columns and rows: pairs of rows are interleaved, then pairs of
/// those, then (for 8) halves exchanged.
HWY_INLINE void turn_square(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
#if HWY_TARGET == HWY_SCALAR
  (void)from_stride, (void)to_stride;
  *to = *from;
#else
  const hn::CappedTag<float, square> d;
  const hn::RepartitionToWide<decltype(d)> pairs;
  using Vector = hn::Vec<decltype(d)>;
  Vector fours[square];  // [4 * group + j]: column j (and j + 4) of four rows
  for (std::size_t group = 0; group < square / 4; ++group) {
    const float* rows = from + 4 * group * from_stride;
    const Vector row0 = hn::LoadU(d, rows);
    const Vector row1 = hn::LoadU(d, rows + from_stride);
    const Vector row2 = hn::LoadU(d, rows + 2 * from_stride);
    const Vector row3 = hn::LoadU(d, rows + 3 * from_stride);
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
    fours[4 * group] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
    fours[4 * group + 1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
    fours[4 * group + 2] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
    fours[4 * group + 3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
  }
  for (std::size_t j = 0; j < 4; ++j) {
    if constexpr (square == 4) {
      hn::StoreU(fours[j], d, to + j * to_stride);
    } else {
      hn::StoreU(hn::ConcatLowerLower(d, fours[4 + j], fours[j]), d, to + j * to_stride);
      hn::StoreU(hn::ConcatUpperUpper(d, fours[4 + j], fours[j]), d, to + (4 + j) * to_stride);
    }
  }
#endif
}

/// One position's matrix of the data gradient: rows are the filter's output channels, columns its input
/// channels [first, first + width). Columns beyond the filter's channels are 0.
void turn_panel(const float* packed, std::size_t position, std::size_t in, std::size_t out, std::size_t first,
                std::size_t width, float* to) {
  const std::size_t columns = first + width <= in ? width : in - first;
  for (std::size_t panel = 0; panel < out; panel += winograd_panel) {
    const std::size_t panel_columns = panel_width(out, panel);
    const std::size_t rows = panel + panel_columns <= out ? panel_columns : out - panel;
    const float* from = packed + winograd_positions * in * panel + (position * in + first) * panel_columns;
    float* target = to + panel * width;
    std::size_t c = 0;
    for (; c + square <= columns; c += square) {
      std::size_t r = 0;
      for (; r + square <= rows; r += square)
        turn_square(from + c * panel_columns + r, panel_columns, target + r * width + c, width);
      for (; r < rows; ++r)
        for (std::size_t k = c; k < c + square; ++k) target[r * width + k] = from[k * panel_columns + r];
    }
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t k = c; k < width; ++k)
        target[r * width + k] = k < columns ? from[k * panel_columns + r] : 0.0f;
  }
}

}  // namespace

void MultiplyTurned(const TransformedBlock& transformed, const float* packed, std::size_t tiles,
                    std::size_t in, std::size_t out, std::size_t first, std::size_t width,
                    const TransformedBlock& products, float* work) {
  // While one position is multiplied, the weights of the next come to the second-level cache, panel by panel.
  const std::size_t pieces = (out + winograd_panel - 1) / winograd_panel;
  const std::size_t rows = (tiles / pieces / 6 + 1) * 6;
  for (std::size_t k = 0; k < winograd_positions; ++k) {
    turn_panel(packed, flipped_position(k), in, out, first, width, work);
    const std::size_t next = flipped_position(k + 1 < winograd_positions ? k + 1 : 0);
    for (std::size_t piece = 0, begin = 0; begin < tiles; ++piece, begin += rows) {
      Operands operands{
          transformed.values + k * transformed.position_stride + begin * transformed.tile_stride,
          transformed.tile_stride,
          1,
          work,
          width,
          products.values + k * products.position_stride + begin * products.tile_stride,
          products.tile_stride,
          out};
      if (piece < pieces) {
        const std::size_t columns = panel_width(out, piece * winograd_panel);
        operands.ahead =
            packed + winograd_positions * in * piece * winograd_panel + (next * in + first) * columns;
        operands.ahead_lines = (width * columns / 16 + rows / 6 - 1) / (rows / 6);
      }
      product<false, Target::overwrite>(operands, begin + rows <= tiles ? rows : tiles - begin, width);
    }
  }
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(Multiply);
HWY_EXPORT(MultiplyTurned);

void winograd_multiply(const TransformedBlock& transformed, const float* panel, std::size_t tiles,
                       std::size_t depth, std::size_t width, const TransformedBlock& products) {
  HWY_DYNAMIC_DISPATCH(Multiply)(transformed, panel, tiles, depth, width, products);
}
void winograd_multiply_turned(const TransformedBlock& transformed, const float* packed, std::size_t tiles,
                              std::size_t in, std::size_t out, std::size_t first, std::size_t width,
                              const TransformedBlock& products, float* work) {
  HWY_DYNAMIC_DISPATCH(MultiplyTurned)(transformed, packed, tiles, in, out, first, width, products, work);
}

}  // namespace gramflow::cpu
#endif
