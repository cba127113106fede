// Gram matrices as symmetric products. The positions' squares (rectangles.h) are multiplied in float, at most
// 1024 terms an element, and added up in double by the fixed tree; the result is rounded once, at the end.
//
// A task makes 64 rows, up to the diagonal, of the sum of one node of the tree. Which level its nodes are of
// follows from the shape: enough of them to share the work, few enough that their matrices stay small. Below
// it a task folds as it goes, with one matrix a level; above it the nodes' matrices are folded in place.
#include "framework/devices/cpu/gram_kernels.h"
#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/rectangles.h"

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
  explicit GramPlan(Shape shape)
      : grid(shape),
        nodes(grid, std::clamp<std::int64_t>(node_elements / (shape.channels * shape.channels), 4, 64)),
        channels(shape.channels) {}
  std::int64_t panels() const { return divide_up(channels, panel_rows); }
  Panel panel(std::int64_t index) const {
    const std::int64_t last = std::min(channels, (index + 1) * panel_rows);
    return {index * panel_rows, last, divide_up(last, 16) * 16};
  }
  /// A panel has a matrix of doubles a sum, and one of floats for the square in hand.
  std::int64_t bytes_an_element() const { return 8 * nodes.sums() + 4; }
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
  NodeGrid nodes;
  std::int64_t channels;
};

/// Adds up one panel of one node.
void sum_panel(const GramPlan& plan, TensorView features, std::int64_t node, const Panel& panel,
               double* memory) {
  const Shape shape = features.shape();
  const GramPanel area{size(panel.first), size(panel.last), size(panel.width)};
  const auto at = [&](int sum) { return memory + sum * panel.elements(); };
  auto* products = reinterpret_cast<float*>(at(plan.nodes.sums()));
  const auto square = [&](std::int64_t row, std::int64_t column, int to, bool add) {
    const Rectangle part = plan.grid.at(row, column);
    const GramPositions positions{features.f32() + (part.y * shape.width + part.x) * shape.channels,
                                  size(part.height), size(part.width), size(shape.width * shape.channels),
                                  size(shape.channels)};
    gram_products(positions, area, products);
    gram_add_products(products, area, add, at(to));
  };
  const auto merge = [&](int from, int to) { gram_add_sums(at(from), area, at(to)); };
  const int level = plan.nodes.level;
  sum_node(plan.grid, level, node / plan.nodes.columns << level, node % plan.nodes.columns << level, square,
           merge);
}

}  // namespace

std::size_t gram_scratch(Shape shape) {
  const GramPlan plan(shape);
  return size(plan.nodes.count() * plan.node_bytes());
}

void gram(TensorView features, TensorView gram, void* scratch) {
  const Shape shape = features.shape();
  const GramPlan plan(shape);
  const std::int64_t panels = plan.panels();
  parallel_for(plan.nodes.count() * panels, [&](std::int64_t task, int) {
    const std::int64_t node = task / panels;
    const std::int64_t index = panels - 1 - task % panels;  // the longest rows first
    sum_panel(plan, features, node, plan.panel(index), plan.sums(scratch, node, index));
  });
  const double scale = 1.0 / static_cast<double>(shape.elements());
  const std::int64_t channels = shape.channels;
  parallel_for(channels, [&](std::int64_t i, int) {
    const std::int64_t index = i / panel_rows;
    const Panel panel = plan.panel(index);
    const auto row_of = [&](std::int64_t node) {
      return plan.sums(scratch, node, index) + (i - panel.first) * panel.width;
    };
    fold_quarters(plan.nodes.rows, plan.nodes.columns, [&](std::int64_t to, std::int64_t from) {
      gram_add_sums(row_of(from), {size(i), size(i) + 1, size(panel.width)}, row_of(to));
    });
    const double* sums = row_of(0);
    for (std::int64_t j = 0; j <= i; ++j)
      gram.f32()[i * channels + j] = gram.f32()[j * channels + i] = static_cast<float>(sums[j] * scale);
  });
}

}  // namespace gramflow::cpu
