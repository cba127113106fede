#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "framework/devices/cpu/vectors.h"
#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

double product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// Some pairs, the newest not yet made, and what goes with them.
struct Past {
  Past(std::size_t size, std::size_t count)
      : gradient(random.floats(size)),
        before(random.floats(size)),
        direction(random.floats(size)),
        products(count),
        scratch(cpu::lbfgs_scratch(static_cast<std::int64_t>(size), static_cast<int>(count))) {
    for (std::size_t p = 0; p < 2 * count; ++p) memory.push_back(random.floats(size));
    for (std::size_t p = 0; p < count; ++p) pairs.push_back({memory[2 * p], memory[2 * p + 1]});
  }
  Random random{1};
  std::vector<float> gradient, before, direction;
  std::vector<std::vector<float>> memory;
  std::vector<cpu::LbfgsPair> pairs;
  std::vector<cpu::LbfgsProducts> products;
  Scratch scratch;
};

/// Sums of many terms of both signs are compared with the sum of their magnitudes.
doctest::Approx about(double value, std::size_t size) {
  return doctest::Approx(value).epsilon(1e-12).scale(static_cast<double>(size));
}

void check_size(const cpu::GradientSize& size, const std::vector<float>& gradient) {
  double squared = 0, absolute = 0, most = 0;
  for (const float g : gradient) {
    const double value = std::abs(static_cast<double>(g));
    squared += value * value, absolute += value, most = std::max(most, value);
  }
  CHECK(size.squared == doctest::Approx(squared).epsilon(1e-12));
  CHECK(size.absolute == doctest::Approx(absolute).epsilon(1e-12));
  CHECK(size.max_abs == most);
}

const std::size_t sizes[] = {1, 7, 4096, 4097, 100003};

}  // namespace

TEST_CASE("learn makes the newest pair and finds its products with all pairs and the gradient") {
  for (const std::size_t size : sizes)
    for (const std::size_t count : {std::size_t{1}, std::size_t{4}}) {
      CAPTURE(size);
      CAPTURE(count);
      Past past(size, count);
      check_size(cpu::lbfgs_learn(0.3, past.direction, past.before, past.gradient, past.pairs, past.products,
                                  past.scratch.data()),
                 past.gradient);
      CHECK(past.scratch.intact());
      const cpu::LbfgsPair& newest = past.pairs.back();
      for (std::size_t i = 0; i < size; ++i) {
        REQUIRE(newest.step[i] == 0.3F * past.direction[i]);
        REQUIRE(newest.change[i] == past.gradient[i] - past.before[i]);
      }
      for (std::size_t p = 0; p < count; ++p) {
        const cpu::LbfgsProducts& found = past.products[p];
        const cpu::LbfgsPair& pair = past.pairs[p];
        CHECK(found.step_change == about(product(pair.step, newest.change), size));
        CHECK(found.change_change == about(product(pair.change, newest.change), size));
        CHECK(found.step_gradient == about(product(pair.step, past.gradient), size));
        CHECK(found.change_gradient == about(product(pair.change, past.gradient), size));
      }
    }
}

TEST_CASE("look finds what learn found, to the bit, and leaves the pairs alone") {
  for (const std::size_t size : sizes)
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{4}}) {
      CAPTURE(size);
      CAPTURE(count);
      Past past(size, count);
      if (count > 0)
        cpu::lbfgs_learn(0.3, past.direction, past.before, past.gradient, past.pairs, past.products,
                         past.scratch.data());
      const std::vector<std::vector<float>> memory = past.memory;
      std::vector<cpu::LbfgsProducts> seen(count);
      check_size(cpu::lbfgs_look(past.gradient, past.pairs, seen, past.scratch.data()), past.gradient);
      CHECK(past.scratch.intact());
      CHECK(past.memory == memory);
      for (std::size_t p = 0; p < count; ++p) {
        CHECK(seen[p].step_gradient == past.products[p].step_gradient);
        CHECK(seen[p].change_gradient == past.products[p].change_gradient);
      }
    }
}

TEST_CASE("propose adds up the gradient and the pairs, and copies x and the gradient") {
  for (const std::size_t size : sizes)
    for (const std::size_t count : {std::size_t{0}, std::size_t{3}}) {
      CAPTURE(size);
      CAPTURE(count);
      Past past(size, count);
      const std::vector<float> x = past.random.floats(size);
      std::vector<float> x_copy(size), gradient_copy(size), direction(size);
      const std::vector<cpu::LbfgsCoefficients> all = {{0.5, -2}, {-0.25, 1}, {3, 0.125}};
      const cpu::DirectionSize found =
          cpu::lbfgs_propose(-0.75, past.gradient, past.pairs, {all.data(), count}, direction, x, x_copy,
                             gradient_copy, past.scratch.data());
      CHECK(past.scratch.intact());
      CHECK(x_copy == x);
      CHECK(gradient_copy == past.gradient);
      double most = 0;
      for (std::size_t i = 0; i < size; ++i) {
        double expected = -0.75 * static_cast<double>(past.gradient[i]);
        for (std::size_t p = 0; p < count; ++p)
          expected += all[p].step * static_cast<double>(past.pairs[p].step[i]) +
                      all[p].change * static_cast<double>(past.pairs[p].change[i]);
        REQUIRE(std::abs(static_cast<double>(direction[i]) - expected) < 1e-5);
        most = std::max(most, std::abs(static_cast<double>(direction[i])));
      }
      CHECK(found.max_abs == most);
      CHECK(found.slope == about(product(direction, past.gradient), size));
    }
}

TEST_CASE("L-BFGS passes are the same bits for any number of threads") {
  Past past(100003, 4);
  CHECK(same_for_any_threads([&] {
    std::vector<float> bits = past.gradient, x_copy = bits, gradient_copy = bits, direction = bits;
    const cpu::GradientSize size = cpu::lbfgs_learn(0.3, past.direction, past.before, past.gradient,
                                                    past.pairs, past.products, past.scratch.data());
    const std::vector<cpu::LbfgsCoefficients> coefficients(4, {0.5, 0.25});
    const cpu::DirectionSize found =
        cpu::lbfgs_propose(-1, past.gradient, past.pairs, coefficients, direction, past.before, x_copy,
                           gradient_copy, past.scratch.data());
    std::vector<double> numbers = {size.squared, size.absolute, size.max_abs, found.slope, found.max_abs};
    for (const cpu::LbfgsProducts& p : past.products)
      numbers.insert(numbers.end(), {p.step_change, p.change_change, p.step_gradient, p.change_gradient});
    bits = direction;
    bits.resize(direction.size() + 2 * numbers.size());
    std::memcpy(bits.data() + direction.size(), numbers.data(), numbers.size() * sizeof(double));
    return bits;
  }));
}
