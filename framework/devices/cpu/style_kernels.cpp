// Sums are doubles and go by the squares of rectangles.h.
#include "framework/devices/cpu/style_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/rectangles.h"

namespace gramflow::cpu {
namespace {

constexpr std::int64_t most_moment_nodes = 64;

/// Of a node: its sums and one more for the square in hand, each of the values and of their squares.
std::int64_t moments_a_node(const NodeGrid& nodes, Shape shape) {
  return (nodes.sums() + 1) * 2 * shape.channels;
}

/// Sums and sums of squares of the channels in one square.
void square_moments(TensorView features, const Rectangle& square, double* sums) {
  const std::int64_t channels = features.shape().channels;
  double* squares = sums + channels;
  std::fill_n(sums, 2 * channels, 0.0);
  for (std::int64_t y = square.y; y < square.y + square.height; ++y) {
    const float* values = features.f32() + (y * features.shape().width + square.x) * channels;
    for (std::int64_t x = 0; x < square.width; ++x, values += channels)
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto value = static_cast<double>(values[c]);
        sums[c] += value;
        squares[c] += value * value;
      }
  }
}

void add_to(double* to, const double* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
}

}  // namespace

std::size_t difference_sums_scratch(Shape shape) { return rectangle_sums_scratch<2>(shape); }

DifferenceSums difference_sums(TensorView a, TensorView b, void* scratch) {
  const Shape shape = a.shape();
  using Sums = std::array<double, 2>;
  const Sums total = sum_rectangles<2>(shape, scratch, [&](const Rectangle& strip, Sums* sums) {
    for_squares(strip, [&](const Rectangle& square, std::int64_t k) {
      Sums sum{};
      for (std::int64_t y = square.y; y < square.y + square.height; ++y) {
        const std::int64_t begin = (y * shape.width + square.x) * shape.channels;
        for (std::int64_t i = begin; i < begin + square.width * shape.channels; ++i) {
          const double difference = static_cast<double>(a.f32()[i]) - static_cast<double>(b.f32()[i]);
          sum[0] += difference * difference;
          sum[1] += std::fabs(difference);
        }
      }
      sums[k] = sum;
    });
  });
  return {total[0], total[1]};
}

void difference_gradient(TensorView a, TensorView b, double linear, double constant, TensorView result,
                         bool accumulate) {
  const auto slope = static_cast<float>(linear);
  const auto step = static_cast<float>(constant);
  float* out = result.f32();
  for_vector_blocks(a.shape().elements(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float difference = a.f32()[i] - b.f32()[i];
      const float sign = static_cast<float>(difference > 0) - static_cast<float>(difference < 0);
      const float gradient = slope * difference + step * sign;
      out[i] = accumulate ? out[i] + gradient : gradient;
    }
  });
}

std::size_t channel_moments_scratch(Shape features) {
  const NodeGrid nodes(RectangleGrid(features), most_moment_nodes);
  return static_cast<std::size_t>(nodes.count() * moments_a_node(nodes, features)) * sizeof(double);
}

void channel_moments(TensorView features, double* mean, double* mean_square, void* scratch) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  const RectangleGrid grid(shape);
  const NodeGrid nodes(grid, most_moment_nodes);
  const auto memory_of = [&](std::int64_t node) {
    return static_cast<double*>(scratch) + node * moments_a_node(nodes, shape);
  };
  parallel_for(nodes.count(), [&](std::int64_t node, int) {
    const auto at = [&](int sum) { return memory_of(node) + sum * 2 * channels; };
    const auto square = [&](std::int64_t row, std::int64_t column, int to, bool add) {
      double* sums = at(add ? nodes.sums() : to);
      square_moments(features, grid.at(row, column), sums);
      if (add) add_to(at(to), sums, 2 * channels);
    };
    const auto merge = [&](int from, int to) { add_to(at(to), at(from), 2 * channels); };
    sum_node(grid, nodes.level, node / nodes.columns << nodes.level, node % nodes.columns << nodes.level,
             square, merge);
  });
  fold_quarters(nodes.rows, nodes.columns, [&](std::int64_t to, std::int64_t from) {
    add_to(memory_of(to), memory_of(from), 2 * channels);
  });
  const double scale = 1.0 / static_cast<double>(shape.pixels());
  const double* total = memory_of(0);
  for (std::int64_t c = 0; c < channels; ++c) {
    if (mean != nullptr) mean[c] = total[c] * scale;
    if (mean_square != nullptr) mean_square[c] = total[channels + c] * scale;
  }
}

void channel_moments_backward(TensorView features, const double* mean_gradient, const double* square_gradient,
                              TensorView result, bool accumulate) {
  const Shape shape = features.shape();
  const std::int64_t channels = shape.channels;
  const double scale = 1.0 / static_cast<double>(shape.pixels());
  const std::int64_t rows = rows_per_block(channels, vector_block);
  parallel_for(divide_up(shape.pixels(), rows), [&](std::int64_t block, int) {
    const std::int64_t end = std::min((block + 1) * rows, shape.pixels());
    for (std::int64_t p = block * rows; p < end; ++p)
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t i = p * channels + c;
        double gradient = mean_gradient != nullptr ? mean_gradient[c] : 0.0;
        if (square_gradient != nullptr)
          gradient += 2 * static_cast<double>(features.f32()[i]) * square_gradient[c];
        const auto value = static_cast<float>(gradient * scale);
        result.f32()[i] = accumulate ? result.f32()[i] + value : value;
      }
  });
}

}  // namespace gramflow::cpu
