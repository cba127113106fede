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

/// to[c][r] = from[r][c] for 4 columns and rows; `to` has rows of `to_stride`.
HWY_INLINE void turn_square(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
  const hn::CappedTag<float, 4> d;
  if (hn::Lanes(d) < 4) {
    for (std::size_t r = 0; r < 4; ++r)
      for (std::size_t c = 0; c < 4; ++c) to[c * to_stride + r] = from[r * from_stride + c];
    return;
  }
#if HWY_TARGET != HWY_SCALAR
  const hn::RepartitionToWide<decltype(d)> pairs;
  const auto row0 = hn::LoadU(d, from);
  const auto row1 = hn::LoadU(d, from + from_stride);
  const auto row2 = hn::LoadU(d, from + 2 * from_stride);
  const auto row3 = hn::LoadU(d, from + 3 * from_stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * to_stride);
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
    for (; c + 4 <= columns; c += 4) {
      std::size_t r = 0;
      for (; r + 4 <= rows; r += 4)
        turn_square(from + c * panel_columns + r, panel_columns, target + r * width + c, width);
      for (; r < rows; ++r)
        for (std::size_t k = c; k < c + 4; ++k) target[r * width + k] = from[k * panel_columns + r];
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
