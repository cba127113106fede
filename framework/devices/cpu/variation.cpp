// Every kind is a sum over cells: a pair of rows (upper, lower) with, at every column, four pixels. Cells are
// summed like positions, by the squares of rectangles.h; a backward task gathers for one row of pixels what
// the cells above and below it say. Cells reach over the edge by one and read it repeated there, where
// straight differences are 0.
#include "framework/devices/cpu/variation.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/rectangles.h"

namespace gramflow::cpu {
namespace {

/// Factors of the sums of straight and diagonal differences.
struct Factors {
  double vertical, horizontal, diagonal;
  Factors(VariationKind kind, Shape shape, double weight) {
    const auto over = [](double value, std::int64_t count) {
      return count > 0 ? value / static_cast<double>(count) : 0.0;
    };
    const std::int64_t h = shape.height, w = shape.width, c = shape.channels;
    if (kind == VariationKind::nine_point) {
      vertical = horizontal = over(2 * weight / 3, h * w * c);
      diagonal = over(2 * weight / 12, (h + 1) * (w + 1) * c);
    } else {
      vertical = over(weight / 2, (h - 1) * w * c);
      horizontal = over(weight / 2, h * (w - 1) * c);
      diagonal = 0;
    }
  }
};

/// Cell rows 0 .. height; cell i lies between the pixel rows i - 1 and i, cell column j likewise.
struct Cells {
  const float* picture;
  Shape shape;
  const float* row(std::int64_t y) const {
    return picture + std::clamp<std::int64_t>(y, 0, shape.height - 1) * shape.width * shape.channels;
  }
  std::int64_t at(std::int64_t x) const {
    return std::clamp<std::int64_t>(x, 0, shape.width - 1) * shape.channels;
  }
};

Shape cell_shape(Shape picture) { return {picture.height + 1, picture.width + 1, picture.channels}; }

double difference(float a, float b) { return static_cast<double>(a) - static_cast<double>(b); }

double sign(double value) { return static_cast<double>(value > 0) - static_cast<double>(value < 0); }

}  // namespace

std::size_t variation_scratch(Shape picture) { return rectangle_sums_scratch<3>(cell_shape(picture)); }

double variation(VariationKind kind, TensorView picture, double weight, const double* scales, void* scratch) {
  const Shape shape = picture.shape();
  const Cells cells{picture.f32(), shape};
  const bool absolute = kind == VariationKind::l1;
  using Sums = std::array<double, 3>;
  const auto add_cell = [&](std::int64_t i, std::int64_t j, Sums& sum) {
    const float* upper = cells.row(i - 1);
    const float* lower = cells.row(i);
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const std::int64_t left = cells.at(j - 1) + c, right = cells.at(j) + c;
      const double down = j < shape.width ? scales[c] * difference(lower[right], upper[right]) : 0.0;
      const double across = i < shape.height ? scales[c] * difference(lower[right], lower[left]) : 0.0;
      sum[0] += absolute ? std::fabs(down) : down * down;
      sum[1] += absolute ? std::fabs(across) : across * across;
      if (kind != VariationKind::nine_point) continue;
      const double falling = scales[c] * difference(lower[right], upper[left]);
      const double rising = scales[c] * difference(lower[left], upper[right]);
      sum[2] += falling * falling + rising * rising;
    }
  };
  const Sums total = sum_rectangles<3>(cell_shape(shape), scratch, [&](const Rectangle& strip, Sums* sums) {
    for_squares(strip, [&](const Rectangle& square, std::int64_t k) {
      Sums sum{};
      for (std::int64_t i = square.y; i < square.y + square.height; ++i)
        for (std::int64_t j = square.x; j < square.x + square.width; ++j) add_cell(i, j, sum);
      sums[k] = sum;
    });
  });
  const Factors factors(kind, shape, weight);
  return factors.vertical * total[0] + factors.horizontal * total[1] + factors.diagonal * total[2];
}

void variation_backward(VariationKind kind, TensorView picture, double weight, const double* scales,
                        TensorView result, bool accumulate) {
  const Shape shape = picture.shape();
  const Cells cells{picture.f32(), shape};
  const Factors factors(kind, shape, weight);
  const auto slope = [&](double value) { return kind == VariationKind::l1 ? sign(value) : 2 * value; };
  parallel_for(shape.height, [&](std::int64_t y, int) {
    const float* above = cells.row(y - 1);
    const float* here = cells.row(y);
    const float* below = cells.row(y + 1);
    float* out = result.f32() + y * shape.width * shape.channels;
    for (std::int64_t x = 0; x < shape.width; ++x)
      for (std::int64_t c = 0; c < shape.channels; ++c) {
        const std::int64_t left = cells.at(x - 1) + c, middle = cells.at(x) + c, right = cells.at(x + 1) + c;
        const float value = here[middle];
        const auto pull = [&](float other) { return slope(scales[c] * difference(value, other)); };
        double gradient = factors.vertical * (pull(above[middle]) + pull(below[middle])) +
                          factors.horizontal * (pull(here[left]) + pull(here[right]));
        // Where the edge is repeated, diagonals of the cells outside join pixels of the edge itself, from
        // both of their sides.
        if (kind == VariationKind::nine_point) {
          const auto diagonal = [&](const float* row, bool edge_row) {
            double sum = pull(row[left]) + pull(row[right]);
            if (!edge_row) return sum;
            // The cell row outside has (left, middle) and (middle, right) twice, once a direction.
            return sum + pull(here[left]) + pull(here[right]);
          };
          double diagonals = diagonal(above, y == 0) + diagonal(below, y + 1 == shape.height);
          const auto column = [&](bool edge_column) {
            return edge_column ? pull(above[middle]) + pull(below[middle]) : 0.0;
          };
          diagonals += column(x == 0) + column(x + 1 == shape.width);
          gradient += factors.diagonal * diagonals;
        }
        const auto total = static_cast<float>(gradient * scales[c]);
        float& to = out[x * shape.channels + c];
        to = accumulate ? to + total : total;
      }
  });
}

}  // namespace gramflow::cpu
