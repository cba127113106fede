// Squared error and total variation with their gradients. Sums are doubles, one a block, added in block
// order; a block is a run of elements or, for total variation, a row of the picture.
#include "framework/ops/cpu/blocks.h"
#include "framework/ops/cpu/element_kernels.h"
#include "framework/ops/cpu/kernels.h"
#include "framework/ops/cpu/sum_kernels.h"
#include "framework/ops/cpu/vectors.h"

namespace gramflow::cpu {

std::size_t squared_error_scratch(Shape shape) { return reduction_scratch(shape.elements()); }

double squared_error(TensorView a, TensorView b, double weight, void* scratch) {
  const float* x = a.f32();
  const float* y = b.f32();
  const std::int64_t elements = a.shape().elements();
  const double sum = sum_vector_blocks(elements, scratch, [&](std::int64_t begin, std::int64_t end) {
    return sum_squared_differences(x + begin, y + begin, static_cast<std::size_t>(end - begin));
  });
  return weight * sum / static_cast<double>(elements);
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

std::size_t total_variation_scratch(Shape shape) {
  return static_cast<std::size_t>(shape.height) * 2 * sizeof(double);
}

double total_variation(TensorView a, double weight, void* scratch) {
  const Shape shape = a.shape();
  const std::int64_t row = shape.width * shape.channels;
  const std::size_t count = static_cast<std::size_t>(row);
  const std::size_t step = static_cast<std::size_t>(shape.channels);
  double* sums = static_cast<double*>(scratch);
  parallel_for(shape.height, [&](std::int64_t y, int) {
    const float* here = a.f32() + y * row;
    sums[2 * y] = y + 1 < shape.height ? sum_absolute_differences(here + row, here, count) : 0.0;
    sums[2 * y + 1] = sum_absolute_differences(here + step, here, count - step);
  });
  double vertical = 0, horizontal = 0;
  for (std::int64_t y = 0; y < shape.height; ++y) vertical += sums[2 * y], horizontal += sums[2 * y + 1];
  const VariationScale scale(shape, weight);
  return scale.vertical * vertical + scale.horizontal * horizontal;
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
