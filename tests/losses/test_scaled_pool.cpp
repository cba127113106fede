#include <doctest/doctest.h>

#include <cmath>

#include "framework/devices/cpu/scaled_pool.h"
#include "framework/ops/scaled_pool.h"
#include "tests/losses/loss_op.h"
#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

constexpr PoolingKind kinds[] = {PoolingKind::max, PoolingKind::average, PoolingKind::l2};

Memory pooled(PoolingKind kind, float scale, Memory& input) {
  const Shape in = input.desc.shape;
  Memory output({Shape{in.height / 2, in.width / 2, in.channels}, ElementType::f32});
  cpu::scaled_pool(kind, scale, input.view(), output.view());
  return output;
}

float at(Memory& map, std::int64_t y, std::int64_t x, std::int64_t c) {
  const Shape shape = map.desc.shape;
  return map.floats()[static_cast<std::size_t>((y * shape.width + x) * shape.channels + c)];
}

}  // namespace

TEST_CASE("Pooling is the largest, the mean or the root of squares of each 2x2, times the factor") {
  Memory input = formula_features(7, 9, 5, 1, false);
  for (const PoolingKind kind : kinds) {
    Memory output = pooled(kind, 0.75F, input);
    for (std::int64_t y = 0; y < 3; ++y)
      for (std::int64_t x = 0; x < 4; ++x)
        for (std::int64_t c = 0; c < 5; ++c) {
          double largest = -1e9, sum = 0, squares = 0;
          for (int k = 0; k < 4; ++k) {
            const auto value = static_cast<double>(at(input, 2 * y + k / 2, 2 * x + k % 2, c));
            largest = std::max(largest, value);
            sum += value;
            squares += value * value;
          }
          const double expected = kind == PoolingKind::max       ? largest
                                  : kind == PoolingKind::average ? sum / 4
                                                                 : std::sqrt(squares);
          CHECK(at(output, y, x, c) == doctest::Approx(0.75 * expected).epsilon(1e-5));
        }
  }
}

TEST_CASE("Pooling's gradient predicts its change, and is added to what is there") {
  for (const PoolingKind kind : kinds) {
    Memory input = formula_features(7, 9, 5, 1, false);
    Memory weights = formula_features(3, 4, 5, 2, false);
    const auto value = [&] {
      Memory output = pooled(kind, 0.75F, input);
      double sum = 0;
      for (std::size_t i = 0; i < output.floats().size(); ++i)
        sum += static_cast<double>(output.floats()[i]) * static_cast<double>(weights.floats()[i]);
      return sum;
    };
    Memory slope(input.desc), sum(input.desc);
    for (float& one : sum.floats()) one = 1;
    cpu::scaled_pool_backward(kind, 0.75F, weights.view(), input.view(), slope.view(), false);
    cpu::scaled_pool_backward(kind, 0.75F, weights.view(), input.view(), sum.view(), true);
    for (std::size_t i = 0; i < input.floats().size(); ++i) {
      const float here = input.floats()[i];
      input.floats()[i] = here + 1e-3F;
      const double above = value();
      input.floats()[i] = here - 1e-3F;
      const double below = value();
      input.floats()[i] = here;
      CHECK(std::fabs((above - below) / 2e-3 - static_cast<double>(slope.floats()[i])) < 2e-3);
      CHECK(sum.floats()[i] == 1 + slope.floats()[i]);
    }
  }
}

TEST_CASE("Of equal maxima the first gets the gradient; four zeros have none under l2") {
  Memory input({Shape{2, 2, 1}, ElementType::f32}), slope(input.desc);
  Memory one({Shape{1, 1, 1}, ElementType::f32});
  one.floats()[0] = 1;
  cpu::scaled_pool_backward(PoolingKind::max, 1, one.view(), input.view(), slope.view(), false);
  CHECK(std::vector<float>(slope.floats().begin(), slope.floats().end()) == std::vector<float>{1, 0, 0, 0});
  cpu::scaled_pool_backward(PoolingKind::l2, 1, one.view(), input.view(), slope.view(), false);
  CHECK(std::vector<float>(slope.floats().begin(), slope.floats().end()) == std::vector<float>{0, 0, 0, 0});
}
