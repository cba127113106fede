// U = G g G^T: from the nine taps of a filter to its 36 transformed weights, for one channel that is read and
// a vector of channels that are made at a time. Row r of G evaluates the filter's polynomial at point r,
// scaled:
//   0: g0     +-a: -2/3 (g0 +- a g1 + g2/2)     +-b: -1/3 (g0 +- b g1 + 2 g2)     inf: g2
// Transformed weights are four times as large as the taps, and transforming them costs as much as writing
// them. So the taps of large filters are all that is kept, and each convolution transforms them into its
// scratch memory.
//
// Taps lie as nine matrices of in x out channels, both padded to 16. The data gradient reads them turned (out
// x in) and in reverse order; they are turned eight rows at a time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/convolution/winograd_weights.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/devices/cpu/convolution/winograd_kernels.h"
#include "framework/devices/cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR
inline constexpr std::size_t square = 1;
#else
inline constexpr std::size_t square = most_lanes < 8 ? 4 : 8;
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

/// The polynomial with coefficients g at the six points.
HWY_INLINE void evaluate(FloatVector g0, FloatVector g1, FloatVector g2, FloatVector (&at)[6]) {
  const Floats d;
  const FloatVector third = hn::Set(d, -1.0f / 3);
  const FloatVector two_thirds = hn::Set(d, -2.0f / 3);
  const FloatVector odd = hn::Mul(g1, hn::Set(d, -0.47140452079103168f));  // sqrt(2) / 3
  const FloatVector even_a = hn::MulAdd(g0, two_thirds, hn::Mul(g2, third));
  const FloatVector even_b = hn::MulAdd(g0, third, hn::Mul(g2, two_thirds));
  at[0] = g0;
  at[1] = hn::Add(even_a, odd);
  at[2] = hn::Sub(even_a, odd);
  at[3] = hn::Add(even_b, odd);
  at[4] = hn::Sub(even_b, odd);
  at[5] = g2;
}

/// One row (channel read) of a panel in all 36 positions.
struct PanelRow {
  float* panel;
  std::size_t depth, width, group, row;
  /// Where `column` stands in its group's row.
  float* at(std::size_t position, std::size_t column) const {
    const std::size_t begin = column / group * group;
    return panel + (position * width + begin) * depth + row * std::min(group, width - begin) + column - begin;
  }
};

/// Tap (y, x) of column n is taps[(3 * y + x) * tap_step + n].
HWY_INLINE void transform_row(const float* taps, std::ptrdiff_t tap_step, const PanelRow& to) {
  const Floats d;
  for (std::size_t column = 0; column < to.width; column += lanes()) {
    const float* first = taps + column;
    FloatVector down[3][6];
    for (std::ptrdiff_t x = 0; x < 3; ++x)
      evaluate(hn::LoadU(d, first + x * tap_step), hn::LoadU(d, first + (3 + x) * tap_step),
               hn::LoadU(d, first + (6 + x) * tap_step), down[x]);
    for (std::size_t y = 0; y < 6; ++y) {
      FloatVector across[6];
      evaluate(down[0][y], down[1][y], down[2][y], across);
      for (std::size_t x = 0; x < 6; ++x) hn::StoreU(across[x], d, to.at(6 * y + x, column));
    }
  }
}

}  // namespace

void TransformWeights(const FilterTaps& taps, bool backward, std::size_t column, std::size_t row_begin,
                      std::size_t row_end, float* panel) {
  const std::size_t depth = backward ? taps.out : taps.in;
  PanelRow to{panel, depth, panel_width(backward ? taps.in : taps.out, column), tile_vectors * lanes(),
              row_begin};
  const std::size_t row_stride = padded_channels(taps.out);
  const std::size_t tap_stride = padded_channels(taps.in) * row_stride;
  if (!backward) {
    for (; to.row < row_end; ++to.row)
      transform_row(taps.values + to.row * row_stride + column, static_cast<std::ptrdiff_t>(tap_stride), to);
    return;
  }
  constexpr std::size_t turned_tap = square * winograd_panel;
  HWY_ALIGN float turned[9 * turned_tap];
  while (to.row < row_end) {
    for (std::size_t t = 0; t < 9; ++t)
      for (std::size_t n = 0; n < to.width; n += square)
        turn_square(taps.values + t * tap_stride + (column + n) * row_stride + to.row, row_stride,
                    turned + t * turned_tap + n, winograd_panel);
    for (std::size_t j = 0; j < square && to.row < row_end; ++j, ++to.row)
      transform_row(turned + 8 * turned_tap + j * winograd_panel, -static_cast<std::ptrdiff_t>(turned_tap),
                    to);
  }
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(TransformWeights);

std::size_t tap_floats(std::size_t in, std::size_t out) {
  return 9 * padded_channels(in) * padded_channels(out);
}

void arrange_taps(const Filter& filter, float* to) {
  const auto in = static_cast<std::size_t>(filter.in_channels);
  const auto out = static_cast<std::size_t>(filter.out_channels);
  std::fill_n(to, tap_floats(in, out), 0.0f);
  for (std::size_t t = 0; t < 9; ++t)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o)
        to[(t * padded_channels(in) + i) * padded_channels(out) + o] = filter.weights[(o * in + i) * 9 + t];
}

std::size_t transformed_floats(const Filter& filter, bool backward) {
  const auto in = static_cast<std::size_t>(filter.in_channels);
  const auto out = static_cast<std::size_t>(filter.out_channels);
  return winograd_positions * (backward ? out * padded_channels(in) : in * padded_channels(out));
}

void winograd_transform_weights(const FilterTaps& taps, bool backward, float* to) {
  constexpr std::size_t rows = 64;  // enough to share among many cores; a multiple of every square
  const std::size_t reads = backward ? taps.out : taps.in;
  const std::size_t makes = backward ? taps.in : taps.out;
  const std::size_t parts = (reads + rows - 1) / rows;
  const std::size_t panels = (makes + winograd_panel - 1) / winograd_panel;
  parallel_for(static_cast<std::int64_t>(panels * parts), [&](std::int64_t task, int) {
    const std::size_t column = static_cast<std::size_t>(task) / parts * winograd_panel;
    const std::size_t row = static_cast<std::size_t>(task) % parts * rows;
    HWY_DYNAMIC_DISPATCH(TransformWeights)
    (taps, backward, column, row, std::min(row + rows, reads), to + winograd_positions * reads * column);
  });
}

}  // namespace gramflow::cpu
#endif
