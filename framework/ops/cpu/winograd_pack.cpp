// U = G g G^T in double, for one input channel and a panel of output channels at a time. Row r of G, up to
// the scales that make flipping a permutation (see winograd_points.h), evaluates the filter's polynomial
// at point r:
//   0: g0     +-a: -2/3 (g0 +- a g1 + g2/2)     +-b: -1/3 (g0 +- b g1 + 2 g2)     inf: g2
#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/ops/cpu/winograd_kernels.h"

namespace gramflow::cpu {

namespace {

constexpr double root2 = 1.4142135623730950488;
constexpr double evaluation[6][3] = {{1, 0, 0},
                                     {-2.0 / 3, -root2 / 3, -1.0 / 3},
                                     {-2.0 / 3, root2 / 3, -1.0 / 3},
                                     {-1.0 / 3, -root2 / 3, -2.0 / 3},
                                     {-1.0 / 3, root2 / 3, -2.0 / 3},
                                     {0, 0, 1}};

/// The filter's taps for one channel it reads and `width` channels it writes; what is beyond its channels is
/// 0.
void gather_taps(const Filter& filter, bool backward, std::size_t read, std::size_t write_begin,
                 std::size_t width, double (&taps)[9][winograd_panel]) {
  const std::size_t in = static_cast<std::size_t>(filter.in_channels);
  const std::size_t writes = backward ? in : static_cast<std::size_t>(filter.out_channels);
  for (std::size_t n = 0; n < width; ++n) {
    const std::size_t write = write_begin + n;
    const float* from = nullptr;
    if (write < writes) from = filter.weights + 9 * (backward ? read * in + write : write * in + read);
    for (std::size_t t = 0; t < 9; ++t)
      taps[t][n] = from ? static_cast<double>(from[backward ? 8 - t : t]) : 0.0;
  }
}

/// One row (channel read) of a panel in all 36 positions.
struct PanelRow {
  float* panel;
  std::size_t depth, width, group, row;
  /// Where `column` starts its group's row.
  float* at(std::size_t position, std::size_t column) const {
    const std::size_t columns = std::min(group, width - column);
    return panel + (position * width + column) * depth + row * columns;
  }
};

void transform_panel_row(const double (&taps)[9][winograd_panel], const PanelRow& to) {
  double half[6][3][winograd_panel];
  for (std::size_t r = 0; r < 6; ++r)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t n = 0; n < to.width; ++n)
        half[r][c][n] = evaluation[r][0] * taps[c][n] + evaluation[r][1] * taps[3 + c][n] +
                        evaluation[r][2] * taps[6 + c][n];
  for (std::size_t position = 0; position < winograd_positions; ++position) {
    const double(&g)[3] = evaluation[position % 6];
    const double(&row)[3][winograd_panel] = half[position / 6];
    for (std::size_t column = 0; column < to.width; column += to.group) {
      float* out = to.at(position, column);
      const std::size_t columns = std::min(to.group, to.width - column);
      for (std::size_t n = 0; n < columns; ++n)
        out[n] = static_cast<float>(g[0] * row[0][column + n] + g[1] * row[1][column + n] +
                                    g[2] * row[2][column + n]);
    }
  }
}

}  // namespace

std::size_t winograd_packed_floats(const Filter& filter, bool backward) {
  const std::size_t in = static_cast<std::size_t>(filter.in_channels);
  const std::size_t out = static_cast<std::size_t>(filter.out_channels);
  return winograd_positions * (backward ? out * padded_channels(in) : in * padded_channels(out));
}

void winograd_pack(const Filter& filter, bool backward, float* to) {
  const std::size_t reads = static_cast<std::size_t>(backward ? filter.out_channels : filter.in_channels);
  const std::size_t writes = static_cast<std::size_t>(backward ? filter.in_channels : filter.out_channels);
  const std::size_t group = winograd_group();
  const std::int64_t panels = static_cast<std::int64_t>((writes + winograd_panel - 1) / winograd_panel);
  parallel_for(panels, [&](std::int64_t p, int) {
    const std::size_t begin = static_cast<std::size_t>(p) * winograd_panel;
    const std::size_t width = panel_width(writes, begin);
    float* panel = to + winograd_positions * reads * begin;
    for (std::size_t read = 0; read < reads; ++read) {
      double taps[9][winograd_panel];
      gather_taps(filter, backward, read, begin, width, taps);
      transform_panel_row(taps, {panel, reads, width, group, read});
    }
  });
}

}  // namespace gramflow::cpu
