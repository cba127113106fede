// Gram matrices as symmetric products. The positions' squares (rectangles.h) are multiplied in float, at most
// 1024 terms an element, and added up in double by the fixed tree; the result is rounded once, at the end.
//
// A task makes 64 rows, up to the diagonal, of the sum of one node of the tree. Which level its nodes are of
// follows from the shape: enough of them to share the work, few enough that their matrices stay small. Below
// it a task folds as it goes, with one matrix a level; above it the nodes' matrices are folded in place.
#include "framework/ops/cpu/gram_kernels.h"
#include "framework/ops/cpu/kernels.h"
#include "framework/ops/cpu/rectangles.h"

namespace gramflow::cpu {

namespace {

constexpr std::int64_t panel_rows = 64;
constexpr std::int64_t node_elements = std::int64_t{1} << 21;  // of the matrices of all nodes together

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// Rows [first, last) of the matrix; rows of their sums lie `width` apart.
struct Panel {
  std::int64_t first, last, width;
  std::int64_t elements() const { return (last - first) * width; }
};

/// How the work on one shape is cut, and where its sums lie in the scratch.
struct GramPlan {
  explicit GramPlan(Shape shape) : grid(shape), channels(shape.channels) {
    const std::int64_t most = std::clamp<std::int64_t>(node_elements / (channels * channels), 4, 64);
    while (node_rows() * node_columns() > most) ++level;
  }
  std::int64_t node_rows() const { return divide_up(grid.rows, std::int64_t{1} << level); }
  std::int64_t node_columns() const { return divide_up(grid.columns, std::int64_t{1} << level); }
  std::int64_t nodes() const { return node_rows() * node_columns(); }
  std::int64_t panels() const { return divide_up(channels, panel_rows); }
  Panel panel(std::int64_t index) const {
    const std::int64_t last = std::min(channels, (index + 1) * panel_rows);
    return {index * panel_rows, last, divide_up(last, 16) * 16};
  }
  /// A panel has a matrix of doubles a level, at least one, and one of floats for the square in hand.
  std::int64_t bytes_an_element() const { return 8 * std::max<std::int64_t>(1, level) + 4; }
  std::int64_t bytes_before(std::int64_t index) const {
    return panel_rows * panel_rows * index * (index + 1) / 2 * bytes_an_element();
  }
  std::int64_t node_bytes() const {
    return bytes_before(panels() - 1) + panel(panels() - 1).elements() * bytes_an_element();
  }
  double* sums(void* scratch, std::int64_t node, std::int64_t index) const {
    return reinterpret_cast<double*>(static_cast<std::byte*>(scratch) + node * node_bytes() +
                                     bytes_before(index));
  }

  RectangleGrid grid;
  std::int64_t channels;
  int level = 0;  // of a node: it has 2^level squares a side
};

/// Sums up one panel of one node.
class PanelSum {
 public:
  PanelSum(const GramPlan& plan, TensorView features, Panel panel, double* sums)
      : plan_(plan), features_(features), panel_(panel), sums_(sums) {}

  /// The sum of the node of `level` at this square goes to a matrix, which those after it may help.
  void sum(int level, std::int64_t row, std::int64_t column, int matrix = 0) {
    if (level == 0) return add_square(row, column, matrix, false);
    const std::int64_t half = std::int64_t{1} << (level - 1);
    bool first = true;
    for (const std::int64_t y : {row, row + half})
      for (const std::int64_t x : {column, column + half}) {
        if (y >= plan_.grid.rows || x >= plan_.grid.columns) continue;
        if (level == 1) {
          add_square(y, x, matrix, !first);
        } else if (first) {
          sum(level - 1, y, x, matrix);
        } else {
          sum(level - 1, y, x, matrix + 1);
          gram_add_sums(at(matrix + 1), area(), at(matrix));
        }
        first = false;
      }
  }

 private:
  double* at(int matrix) const { return sums_ + matrix * panel_.elements(); }
  GramPanel area() const { return {size(panel_.first), size(panel_.last), size(panel_.width)}; }

  void add_square(std::int64_t row, std::int64_t column, int matrix, bool add) {
    const Rectangle square = plan_.grid.at(row, column);
    const Shape shape = features_.shape();
    const GramPositions positions{features_.f32() + (square.y * shape.width + square.x) * shape.channels,
                                  size(square.height), size(square.width), size(shape.width * shape.channels),
                                  size(shape.channels)};
    auto* products = reinterpret_cast<float*>(at(std::max(1, plan_.level)));
    gram_products(positions, area(), products);
    gram_add_products(products, area(), add, at(matrix));
  }

  const GramPlan& plan_;
  TensorView features_;
  Panel panel_;
  double* sums_;
};

}  // namespace

std::size_t gram_scratch(Shape shape) {
  const GramPlan plan(shape);
  return size(plan.nodes() * plan.node_bytes());
}

void gram(TensorView features, TensorView gram, void* scratch) {
  const Shape shape = features.shape();
  const GramPlan plan(shape);
  const std::int64_t panels = plan.panels();
  parallel_for(plan.nodes() * panels, [&](std::int64_t task, int) {
    const std::int64_t node = task / panels;
    const std::int64_t index = panels - 1 - task % panels;  // the longest rows first
    const std::int64_t row = node / plan.node_columns(), column = node % plan.node_columns();
    PanelSum(plan, features, plan.panel(index), plan.sums(scratch, node, index))
        .sum(plan.level, row << plan.level, column << plan.level);
  });
  const double scale = 1.0 / static_cast<double>(shape.elements());
  const std::int64_t channels = shape.channels;
  parallel_for(channels, [&](std::int64_t i, int) {
    const std::int64_t index = i / panel_rows;
    const Panel panel = plan.panel(index);
    const auto row_of = [&](std::int64_t node) {
      return plan.sums(scratch, node, index) + (i - panel.first) * panel.width;
    };
    fold_quarters(plan.node_rows(), plan.node_columns(), [&](std::int64_t to, std::int64_t from) {
      gram_add_sums(row_of(from), {size(i), size(i) + 1, size(panel.width)}, row_of(to));
    });
    const double* sums = row_of(0);
    for (std::int64_t j = 0; j <= i; ++j)
      gram.f32()[i * channels + j] = gram.f32()[j * channels + i] = static_cast<float>(sums[j] * scale);
  });
}

}  // namespace gramflow::cpu
