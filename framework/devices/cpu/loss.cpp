// Squared error and total variation with their gradients. Sums are doubles and go by the squares of
// rectangles.h; a difference of neighbours belongs to the square of the upper or left one of them.
#include <array>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/element_kernels.h"
#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/rectangles.h"
#include "framework/devices/cpu/sum_kernels.h"

namespace gramflow::cpu {

static_assert(most_squares <= static_cast<std::int64_t>(most_runs));

namespace {

/// `height` x `width` positions of a strip, a run a square.
FloatRows rows_of(Shape shape, const Rectangle& strip, std::int64_t height, std::int64_t width) {
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  return {size(height), size(width * shape.channels), size(shape.width * shape.channels),
          size(rectangle_side * shape.channels), size(divide_up(strip.width, rectangle_side))};
}

std::int64_t offset(Shape shape, const Rectangle& strip) {
  return (strip.y * shape.width + strip.x) * shape.channels;
}

}  // namespace

std::size_t squared_error_scratch(Shape shape) { return rectangle_sums_scratch<1>(shape); }

double squared_error(TensorView a, TensorView b, double weight, void* scratch) {
  const Shape shape = a.shape();
  using Sums = std::array<double, 1>;
  const Sums total = sum_rectangles<1>(shape, scratch, [&](const Rectangle& strip, Sums* sums) {
    const std::int64_t first = offset(shape, strip);
    sum_squared_differences(a.f32() + first, b.f32() + first,
                            rows_of(shape, strip, strip.height, strip.width), sums->data(), 1);
  });
  return weight * total[0] / static_cast<double>(shape.elements());
}

void squared_error_backward(TensorView a, TensorView b, double weight, TensorView result, bool accumulate) {
  const float* x = a.f32();
  const float* y = b.f32();
  float* out = result.f32();
  const std::int64_t elements = a.shape().elements();
  const float factor = static_cast<float>(2 * weight / static_cast<double>(elements));
  for_vector_blocks(elements, [&](std::int64_t begin, std::int64_t end) {
    scale_difference(x + begin, y + begin, factor, static_cast<std::size_t>(end - begin), accumulate,
                     out + begin);
  });
}

namespace {

/// 1 over how many differences a direction has, 0 where it has none.
struct VariationScale {
  double vertical;
  double horizontal;
  VariationScale(Shape shape, double weight)
      : vertical(mean(weight, (shape.height - 1) * shape.width * shape.channels)),
        horizontal(mean(weight, shape.height * (shape.width - 1) * shape.channels)) {}
  static double mean(double weight, std::int64_t count) {
    return count > 0 ? 0.5 * weight / static_cast<double>(count) : 0.0;
  }
};

}  // namespace

std::size_t total_variation_scratch(Shape shape) { return rectangle_sums_scratch<2>(shape); }

double total_variation(TensorView a, double weight, void* scratch) {
  const Shape shape = a.shape();
  using Sums = std::array<double, 2>;
  const Sums total = sum_rectangles<2>(shape, scratch, [&](const Rectangle& strip, Sums* sums) {
    const float* here = a.f32() + offset(shape, strip);
    // Positions of the last row and column have nobody to differ from.
    const std::int64_t height = std::min(strip.height, shape.height - 1 - strip.y);
    const std::int64_t width = std::min(strip.width, shape.width - 1 - strip.x);
    sum_absolute_differences(here + shape.width * shape.channels, here,
                             rows_of(shape, strip, height, strip.width), sums->data(), 2);
    sum_absolute_differences(here + shape.channels, here, rows_of(shape, strip, strip.height, width),
                             sums->data() + 1, 2);
  });
  const VariationScale scale(shape, weight);
  return scale.vertical * total[0] + scale.horizontal * total[1];
}

void total_variation_backward(TensorView a, double weight, TensorView result, bool accumulate) {
  const Shape shape = a.shape();
  const std::int64_t row = shape.width * shape.channels;
  const VariationScale scale(shape, weight);
  const float vertical = static_cast<float>(scale.vertical);
  const float horizontal = static_cast<float>(scale.horizontal);
  parallel_for(shape.height, [&](std::int64_t y, int) {
    const float* here = a.f32() + y * row;
    float* out = result.f32() + y * row;
    const float* above = y > 0 ? here - row : here;  // a difference with itself is sign 0
    const float* below = y + 1 < shape.height ? here + row : here;
    variation_gradient_row(above, here, below, static_cast<std::size_t>(row),
                           static_cast<std::size_t>(shape.channels), vertical, horizontal, accumulate, out);
  });
}

}  // namespace gramflow::cpu
