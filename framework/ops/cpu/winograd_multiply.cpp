// The 36 matrix products of a block. The data gradient's weights are the forward ones with the channels'
// roles swapped and the positions permuted, so big filters are kept once and turned a panel at a time, in
// cache.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/ops/cpu/winograd_multiply.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <algorithm>

#include "framework/ops/cpu/product-inl.h"
#include "framework/ops/cpu/winograd_kernels.h"
#include "framework/ops/cpu/winograd_points.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

/// Columns of a tile of the product, the runs in which packed weights lie.
std::size_t GroupColumns() { return tile_vectors * lanes(); }

void Multiply(const TransformedBlock& transformed, const float* panel, std::size_t tiles, std::size_t depth,
              std::size_t width, const TransformedBlock& products) {
  const std::size_t group = GroupColumns();
  for (std::size_t k = 0; k < winograd_positions; ++k)
    for (std::size_t column = 0; column < width; column += group) {
      const std::size_t columns = std::min(group, width - column);
      const Operands operands{transformed.values + k * transformed.position_stride,
                              transformed.tile_stride,
                              1,
                              panel + (k * width + column) * depth,
                              columns,
                              products.values + k * products.position_stride + column,
                              products.tile_stride,
                              depth};
      product<false, Target::overwrite>(operands, tiles, columns);
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

/// to[r][c] = from[c][r] for `rows` and `columns` of `to`; further columns up to `width` become 0.
void turn_run(const float* from, std::size_t from_stride, std::size_t rows, std::size_t columns,
              std::size_t width, float* to) {
  std::size_t c = 0;
  for (; c + square <= columns; c += square) {
    std::size_t r = 0;
    for (; r + square <= rows; r += square)
      turn_square(from + c * from_stride + r, from_stride, to + r * width + c, width);
    for (; r < rows; ++r)
      for (std::size_t k = c; k < c + square; ++k) to[r * width + k] = from[k * from_stride + r];
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t k = c; k < width; ++k)
      to[r * width + k] = k < columns ? from[k * from_stride + r] : 0.0f;
}

/// The weights as they are packed for forward, seen as runs of columns (output channels): run i holds, for
/// each position, in rows of at most `group` columns.
struct PackedRuns {
  const float* packed;
  std::size_t in, out, group;
  std::size_t count() const { return (padded_channels(out) + group - 1) / group; }
  std::size_t first_channel(std::size_t run) const { return run * group; }
  std::size_t width(std::size_t run) const { return std::min(group, padded_channels(out) - run * group); }
  const float* at(std::size_t run, std::size_t position) const {
    const std::size_t channel = run * group;
    const std::size_t panel = channel / winograd_panel * winograd_panel;
    return packed + winograd_positions * in * panel +
           (position * panel_width(out, panel) + channel - panel) * in;
  }
};

}  // namespace

void MultiplyTurned(const TransformedBlock& transformed, const float* packed, std::size_t tiles,
                    std::size_t in, std::size_t out, std::size_t first, std::size_t width,
                    const TransformedBlock& products, float* work) {
  const std::size_t group = GroupColumns();
  const PackedRuns runs{packed, in, out, group};
  const std::size_t existing = std::min(width, in - first);
  // While one position is multiplied, the weights of the next come to the second-level cache, a run with
  // every few rows.
  const std::size_t groups = (width + group - 1) / group;
  const std::size_t rows = std::max<std::size_t>(1, tiles * groups / runs.count() / 6) * 6;
  for (std::size_t k = 0; k < winograd_positions; ++k) {
    const std::size_t next = flipped_position(k + 1 < winograd_positions ? k + 1 : 0);
    std::size_t ahead = 0;
    for (std::size_t column = 0; column < width; column += group) {
      const std::size_t columns = std::min(group, width - column);
      float* turned = work + column * out;
      const std::size_t real = existing > column ? std::min(columns, existing - column) : 0;
      for (std::size_t run = 0; run < runs.count(); ++run) {
        const std::size_t channel = runs.first_channel(run);
        turn_run(runs.at(run, flipped_position(k)) + (first + column) * runs.width(run), runs.width(run),
                 std::min(runs.width(run), out - channel), real, columns, turned + channel * columns);
      }
      for (std::size_t begin = 0; begin < tiles; begin += rows, ++ahead) {
        Operands operands{
            transformed.values + k * transformed.position_stride + begin * transformed.tile_stride,
            transformed.tile_stride,
            1,
            turned,
            columns,
            products.values + k * products.position_stride + begin * products.tile_stride + column,
            products.tile_stride,
            out};
        if (ahead < runs.count()) {
          operands.ahead = runs.at(ahead, next) + first * runs.width(ahead);
          operands.ahead_lines = (existing * runs.width(ahead) / 16 + rows / 6 - 1) / (rows / 6);
        }
        product<false, Target::overwrite>(operands, std::min(rows, tiles - begin), columns);
      }
    }
  }
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(GroupColumns);
HWY_EXPORT(Multiply);
HWY_EXPORT(MultiplyTurned);

std::size_t winograd_group() { return HWY_DYNAMIC_DISPATCH(GroupColumns)(); }
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
