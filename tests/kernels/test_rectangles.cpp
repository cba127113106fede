// Sums over positions do not depend on how a layer is cut, as long as the cuts lie on the grid.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "framework/devices/cpu/rectangles.h"
#include "framework/devices/cpu/style_kernels.h"
#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// The tree, as a recursion over squares with sides of a power of two.
template <class Leaf>
double tree(std::int64_t rows, std::int64_t columns, std::int64_t y, std::int64_t x, std::int64_t side,
            Leaf&& leaf) {
  if (side == 1) return leaf(y, x);
  const std::int64_t half = side / 2;
  double sum = tree(rows, columns, y, x, half, leaf);
  if (x + half < columns) sum += tree(rows, columns, y, x + half, half, leaf);
  if (y + half < rows) sum += tree(rows, columns, y + half, x, half, leaf);
  if (x + half < columns && y + half < rows) sum += tree(rows, columns, y + half, x + half, half, leaf);
  return sum;
}

std::int64_t power_of_two(std::int64_t at_least) {
  std::int64_t side = 1;
  while (side < at_least) side *= 2;
  return side;
}

Image crop(const Image& from, std::int64_t y, std::int64_t x, std::int64_t height, std::int64_t width) {
  Image part({height, width, from.shape.channels});
  for (std::int64_t i = 0; i < height; ++i)
    for (std::int64_t j = 0; j < width; ++j)
      for (std::int64_t c = 0; c < from.shape.channels; ++c)
        part.values[static_cast<std::size_t>((i * width + j) * from.shape.channels + c)] =
            from.at(y + i, x + j, c);
  return part;
}

/// The sum without the mean: a weight of the number of elements, a power of two for every shape used here.
double error_sum(Image a, Image b) {
  Scratch scratch(cpu::squared_error_scratch(a.shape));
  return cpu::squared_error(a.view(), b.view(), static_cast<double>(a.shape.elements()), scratch.data());
}

}  // namespace

TEST_CASE("The squares cover every position once") {
  for (const Shape shape : {Shape{1, 1, 1}, {1, 100, 3}, {32, 64, 1}, {33, 63, 2}, {75, 112, 5}}) {
    CAPTURE(shape.to_string());
    const cpu::RectangleGrid grid(shape);
    std::vector<int> visits(static_cast<std::size_t>(shape.pixels()));
    for (std::int64_t row = 0; row < grid.rows; ++row)
      for (std::int64_t column = 0; column < grid.columns; ++column) {
        const cpu::Rectangle part = grid.at(row, column);
        CHECK(part.y % 32 == 0);
        CHECK(part.x % 32 == 0);
        for (std::int64_t y = part.y; y < part.y + part.height; ++y)
          for (std::int64_t x = part.x; x < part.x + part.width; ++x)
            ++visits[static_cast<std::size_t>(y * shape.width + x)];
      }
    CHECK(visits == std::vector<int>(visits.size(), 1));
  }
}

TEST_CASE("A square's sum is that of its four quarters in reading order") {
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const std::int64_t rows = random.between(1, 20), columns = random.between(1, 20);
    CAPTURE(rows);
    CAPTURE(columns);
    std::vector<double> values;
    for (std::int64_t k = 0; k < rows * columns; ++k)
      values.push_back(std::exp(3.0 * static_cast<double>(random.normal())));
    const double expected = tree(
        rows, columns, 0, 0, power_of_two(std::max(rows, columns)),
        [&](std::int64_t y, std::int64_t x) { return values[static_cast<std::size_t>(y * columns + x)]; });
    cpu::fold_quarters(rows, columns, [&](std::int64_t to, std::int64_t from) {
      values[static_cast<std::size_t>(to)] += values[static_cast<std::size_t>(from)];
    });
    CHECK(values[0] == expected);
  }
}

TEST_CASE("The sum of a picture is that of its tiles, to the bit") {
  // Tiles of 32, 64 and 128 positions, as somebody might hold them who never sees the whole picture.
  Random random(2);
  Image a = random.image({256, 128, 2}), b = random.image({256, 128, 2});
  const double whole = error_sum(a, b);
  for (const std::int64_t tile : {32, 64, 128}) {
    CAPTURE(tile);
    const std::int64_t rows = 256 / tile, columns = 128 / tile;
    CHECK(whole == tree(rows, columns, 0, 0, power_of_two(rows), [&](std::int64_t y, std::int64_t x) {
            return error_sum(crop(a, y * tile, x * tile, tile, tile),
                             crop(b, y * tile, x * tile, tile, tile));
          }));
  }
}

TEST_CASE("What lies to the right or below adds to a sum and changes nothing in it") {
  // Positions beyond the tile are equal in both, so that they add 0 and the bits must be the tile's.
  Random random(3);
  Image a = random.image({64, 64, 4});
  Image b = random.image({64, 64, 4});
  const double tile = error_sum(a, b);
  for (const Shape shape : {Shape{64, 128, 4}, {128, 64, 4}, {256, 512, 4}}) {
    CAPTURE(shape.to_string());
    Image wide_a(shape, 1), wide_b(shape, 1);
    for (std::int64_t y = 0; y < 64; ++y)
      for (std::int64_t x = 0; x < 64; ++x)
        for (std::int64_t c = 0; c < 4; ++c) {
          const auto at = static_cast<std::size_t>((y * shape.width + x) * 4 + c);
          wide_a.values[at] = a.at(y, x, c);
          wide_b.values[at] = b.at(y, x, c);
        }
    CHECK(error_sum(wide_a, wide_b) == tile);
  }
}

TEST_CASE("Large sums are kept a node of the tree, and come out as those kept a square") {
  Random random(4);
  for (int i = 0; i < 60; ++i) {
    const Shape shape{random.between(1, 600), random.between(1, 600), 1};
    CAPTURE(shape.to_string());
    const cpu::RectangleGrid grid(shape);
    std::vector<double> values;
    for (std::int64_t k = 0; k < grid.count(); ++k)
      values.push_back(std::exp(3.0 * static_cast<double>(random.normal())));
    const double expected =
        tree(grid.rows, grid.columns, 0, 0, power_of_two(std::max(grid.rows, grid.columns)),
             [&](std::int64_t y, std::int64_t x) {
               return values[static_cast<std::size_t>(y * grid.columns + x)];
             });
    for (const std::int64_t most : {1, 4, 7, 64}) {
      CAPTURE(most);
      const cpu::NodeGrid nodes(grid, most);
      CHECK(nodes.count() <= most);
      std::vector<double> sums(static_cast<std::size_t>(nodes.count() * nodes.sums()));
      const auto sum_of = [&](std::int64_t node, int sum) -> double& {
        return sums[static_cast<std::size_t>(node * nodes.sums() + sum)];
      };
      for (std::int64_t node = 0; node < nodes.count(); ++node) {
        const auto square = [&](std::int64_t row, std::int64_t column, int to, bool add) {
          const double value = values[static_cast<std::size_t>(row * grid.columns + column)];
          sum_of(node, to) = add ? sum_of(node, to) + value : value;
        };
        const auto merge = [&](int from, int to) { sum_of(node, to) += sum_of(node, from); };
        cpu::sum_node(grid, nodes.level, node / nodes.columns << nodes.level,
                      node % nodes.columns << nodes.level, square, merge);
      }
      cpu::fold_quarters(nodes.rows, nodes.columns,
                         [&](std::int64_t to, std::int64_t from) { sum_of(to, 0) += sum_of(from, 0); });
      CHECK(sum_of(0, 0) == expected);
    }
  }
}

TEST_CASE("Moments and differences have the bits of their tile, too") {
  Random random(5);
  Image tile = random.image({64, 64, 8}), other = random.image({64, 64, 8});
  Image wide({512, 1024, 8}), wide_other({512, 1024, 8});
  for (std::int64_t y = 0; y < 64; ++y) {
    const std::int64_t row = 64 * 8, wide_row = 1024 * 8;
    std::copy_n(tile.values.begin() + y * row, row, wide.values.begin() + y * wide_row);
    std::copy_n(other.values.begin() + y * row, row, wide_other.values.begin() + y * wide_row);
  }
  const auto moments = [](Image& image) {
    Scratch scratch(cpu::channel_moments_scratch(image.shape));
    std::vector<double> found(16);
    cpu::channel_moments(image.view(), found.data(), found.data() + 8, scratch.data());
    CHECK(scratch.intact());
    for (double& value : found) value *= static_cast<double>(image.shape.pixels());  // a power of two
    return found;
  };
  CHECK(moments(wide) == moments(tile));
  const auto differences = [](Image& a, Image& b) {
    Scratch scratch(cpu::difference_sums_scratch(a.shape));
    const cpu::DifferenceSums sums = cpu::difference_sums(a.view(), b.view(), scratch.data());
    CHECK(scratch.intact());
    return std::vector<double>{sums.squares, sums.magnitudes};
  };
  CHECK(differences(wide, wide_other) == differences(tile, other));
}
