#pragma once
// The grid that sums over positions go by. Positions of a layer are cut into squares of 32 x 32, counted from
// its upper left corner whatever its size; those at the right and lower edge may be smaller. Sums inside a
// square go row by row. A square of 64, 128 ... positions is the sum, in double, of its four quarters in
// reading order, and so on up to the whole layer; quarters that lie outside are left out.
//
// So whoever holds all positions of such a square, be it a thread, a tile of a larger picture or another
// machine, finds the number that a single run over the whole layer finds there, to the bit.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "framework/base/parallel.h"
#include "framework/devices/cpu/blocks.h"
#include "framework/tensor/tensor.h"

namespace gramflow::cpu {

inline constexpr std::int64_t rectangle_side = 32;

struct Rectangle {
  std::int64_t y, x, height, width;
};

struct RectangleGrid {
  explicit RectangleGrid(Shape shape)
      : height(shape.height),
        width(shape.width),
        rows(divide_up(shape.height, rectangle_side)),
        columns(divide_up(shape.width, rectangle_side)) {}
  std::int64_t count() const { return rows * columns; }
  Rectangle at(std::int64_t row, std::int64_t column) const {
    const std::int64_t y = row * rectangle_side, x = column * rectangle_side;
    return {y, x, std::min(rectangle_side, height - y), std::min(rectangle_side, width - x)};
  }
  std::int64_t height, width;  ///< in positions
  std::int64_t rows, columns;  ///< in squares
};

/// Folds one thing a square, `rows` x `columns` of them, into the first: calls add(to, from) with their
/// indices in row order, as often and in the order that the tree wants.
template <class Add>
void fold_quarters(std::int64_t rows, std::int64_t columns, Add&& add) {
  for (std::int64_t half = 1; half < std::max(rows, columns); half *= 2)
    for (std::int64_t y = 0; y < rows; y += 2 * half)
      for (std::int64_t x = 0; x < columns; x += 2 * half) {
        const std::int64_t first = y * columns + x;
        const bool right = x + half < columns, below = y + half < rows;
        if (right) add(first, first + half);
        if (below) add(first, first + half * columns);
        if (right && below) add(first, first + half * columns + half);
      }
}

/// The tree from above, for sums that are too large to keep one a square: nodes of 2^level squares a side, no
/// more than `most` of them.
struct NodeGrid {
  NodeGrid(const RectangleGrid& squares, std::int64_t most) : rows(squares.rows), columns(squares.columns) {
    for (; rows * columns > most; ++level) rows = divide_up(rows, 2), columns = divide_up(columns, 2);
  }
  std::int64_t count() const { return rows * columns; }
  /// Sums that a node needs room for while it is added up, its own included.
  int sums() const { return std::max(1, level); }
  std::int64_t rows, columns;  ///< in nodes
  int level = 0;
};

/// Adds up the node of `level` whose first square is at (row, column) into the sum of index `to`, with the
/// help of those after it: calls square(row, column, to, add) to write the sum of a square or add it, and
/// merge(from, to) to add one sum to another.
template <class Square, class Merge>
void sum_node(const RectangleGrid& grid, int level, std::int64_t row, std::int64_t column, Square& square,
              Merge& merge, int to = 0) {
  if (level == 0) return square(row, column, to, false);
  const std::int64_t half = std::int64_t{1} << (level - 1);
  bool first = true;
  for (const std::int64_t y : {row, row + half})
    for (const std::int64_t x : {column, column + half}) {
      if (y >= grid.rows || x >= grid.columns) continue;
      if (level == 1) {
        square(y, x, to, !first);
      } else if (first) {
        sum_node(grid, level - 1, y, x, square, merge, to);
      } else {
        sum_node(grid, level - 1, y, x, square, merge, to + 1);
        merge(to + 1, to);
      }
      first = false;
    }
}

inline constexpr std::int64_t most_squares = 8;  ///< of a strip

/// Squares next to each other, so that a strip's rows are long runs of memory.
inline std::int64_t squares_a_strip(Shape shape) {
  return std::clamp<std::int64_t>(vector_block / (rectangle_side * shape.channels), 1, most_squares);
}

/// body(square, k) for the squares of a strip.
template <class Body>
void for_squares(const Rectangle& strip, Body&& body) {
  for (std::int64_t k = 0, x = 0; x < strip.width; ++k, x += rectangle_side)
    body(Rectangle{strip.y, strip.x + x, strip.height, std::min(rectangle_side, strip.width - x)}, k);
}

/// Bytes for sum_rectangles.
template <std::size_t numbers>
std::size_t rectangle_sums_scratch(Shape shape) {
  return static_cast<std::size_t>(RectangleGrid(shape).count()) * numbers * sizeof(double);
}

/// The tree's sums of some numbers a square. partial(strip, sums) puts those of the squares of a strip into
/// sums[0], sums[1] ...
template <std::size_t numbers, class Partial>
std::array<double, numbers> sum_rectangles(Shape shape, void* scratch, Partial&& partial) {
  const RectangleGrid grid(shape);
  auto* sums = static_cast<std::array<double, numbers>*>(scratch);
  const std::int64_t squares = squares_a_strip(shape);
  const std::int64_t strips = divide_up(grid.columns, squares);
  parallel_for(grid.rows * strips, [&](std::int64_t task, int) {
    const std::int64_t row = task / strips, column = task % strips * squares;
    Rectangle strip = grid.at(row, column);
    strip.width = std::min(squares * rectangle_side, shape.width - strip.x);
    partial(strip, sums + row * grid.columns + column);
  });
  fold_quarters(grid.rows, grid.columns, [&](std::int64_t to, std::int64_t from) {
    for (std::size_t n = 0; n < numbers; ++n) sums[to][n] += sums[from][n];
  });
  return sums[0];
}

}  // namespace gramflow::cpu
