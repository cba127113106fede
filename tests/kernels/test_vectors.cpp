#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "framework/devices/cpu/vectors.h"
#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const std::size_t sizes[] = {1, 7, 16, 1000, 16384, 16385, 100003};

/// Scratch for a reduction over some floats.
struct Vector {
  explicit Vector(std::size_t size, unsigned seed)
      : values(Random(seed).floats(size)), scratch(cpu::reduction_scratch(static_cast<std::int64_t>(size))) {}
  std::vector<float> values;
  Scratch scratch;
};

}  // namespace

TEST_CASE("Reductions equal their sums in double") {
  for (const std::size_t size : sizes) {
    CAPTURE(size);
    Vector a(size, 1);
    const std::vector<float> b = Random(2).floats(size);
    double product = 0, largest = 0;
    for (std::size_t i = 0; i < size; ++i) {
      product += static_cast<double>(a.values[i]) * static_cast<double>(b[i]);
      largest = std::max(largest, std::fabs(static_cast<double>(a.values[i])));
    }
    CHECK(cpu::dot(a.values, b, a.scratch.data()) == doctest::Approx(product).epsilon(1e-11));
    CHECK(cpu::max_abs(a.values, a.scratch.data()) == largest);
    CHECK(a.scratch.intact());
  }
}

TEST_CASE("One NaN or infinity anywhere is found") {
  for (const std::size_t size : sizes) {
    Vector a(size, 3);
    CHECK(cpu::all_finite(a.values, a.scratch.data()));
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1})
      for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
        const float before = a.values[at];
        a.values[at] = bad;
        CHECK_FALSE(cpu::all_finite(a.values, a.scratch.data()));
        a.values[at] = before;
      }
    a.values[size / 2] = std::numeric_limits<float>::max();
    CHECK(cpu::all_finite(a.values, a.scratch.data()));
  }
}

TEST_CASE("Reductions are the same bits for any number of threads") {
  Vector a(300001, 4);
  const std::vector<float> b = Random(5).floats(300001);
  CHECK(same_for_any_threads([&] {
    const double value = cpu::dot(a.values, b, a.scratch.data());
    std::vector<float> bits(2);
    std::memcpy(bits.data(), &value, sizeof value);
    return bits;
  }));
}

TEST_CASE("axpby mixes two vectors and does not read y when beta is 0") {
  for (const std::size_t size : sizes) {
    const std::vector<float> x = Random(6).floats(size);
    std::vector<float> y = Random(7).floats(size);
    const std::vector<float> before = y;
    cpu::axpby(2, x, -0.5, y);
    for (std::size_t i = 0; i < size; ++i)
      REQUIRE(static_cast<double>(y[i]) ==
              doctest::Approx(2 * static_cast<double>(x[i]) - 0.5 * static_cast<double>(before[i]))
                  .epsilon(1e-5));
    y.assign(size, std::numeric_limits<float>::quiet_NaN());
    cpu::axpby(-1, x, 0, y);
    for (std::size_t i = 0; i < size; ++i) REQUIRE(y[i] == -x[i]);
    cpu::copy(x, y);
    CHECK(x == y);
    cpu::fill(2.5F, y);
    CHECK(y == std::vector<float>(size, 2.5F));
  }
}

TEST_CASE("Adam's steps follow its formulas") {
  const double rate = 0.3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  for (const std::size_t size : {std::size_t{1}, std::size_t{37}, std::size_t{20011}}) {
    std::vector<float> m(size), v(size), x = Random(8).floats(size);
    Doubles dm(size), dv(size), dx = doubles(x);
    for (std::int64_t step = 1; step <= 5; ++step) {
      const std::vector<float> gradient = Random(static_cast<unsigned>(100 + step)).floats(size);
      cpu::adam_step({rate, beta1, beta2, epsilon, step}, gradient, m, v, x);
      for (std::size_t i = 0; i < size; ++i) {
        const double g = static_cast<double>(gradient[i]);
        dm[i] = beta1 * dm[i] + (1 - beta1) * g;
        dv[i] = beta2 * dv[i] + (1 - beta2) * g * g;
        dx[i] -= rate * (dm[i] / (1 - std::pow(beta1, step))) /
                 (std::sqrt(dv[i] / (1 - std::pow(beta2, step))) + epsilon);
      }
    }
    CHECK(largest_difference(x, dx) < 2e-6);
    CHECK(relative_rms(m, dm) < 1e-6);
    CHECK(relative_rms(v, dv) < 1e-6);
  }
}

TEST_CASE("The machine says what it can do") {
  CHECK(std::string(cpu::instruction_set()).size() > 2);
  CHECK(cpu::measure_fma_peak_gflops(0.02) > 0.1);
}
