#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const Shape shapes[] = {{1, 1, 1}, {1, 9, 3}, {9, 1, 3}, {17, 23, 3}, {120, 301, 3}, {31, 33, 64}};

double error_of(Image& a, Image& b, double weight) {
  Scratch scratch(cpu::squared_error_scratch(a.shape));
  const double value = cpu::squared_error(a.view(), b.view(), weight, scratch.data());
  CHECK(scratch.intact());
  return value;
}

double variation_of(Image& a, double weight) {
  Scratch scratch(cpu::total_variation_scratch(a.shape));
  const double value = cpu::total_variation(a.view(), weight, scratch.data());
  CHECK(scratch.intact());
  return value;
}

double variation_definition(const Image& a, double weight) {
  const Shape s = a.shape;
  double dy = 0, dx = 0;
  for (std::int64_t y = 0; y < s.height; ++y)
    for (std::int64_t x = 0; x < s.width; ++x)
      for (std::int64_t c = 0; c < s.channels; ++c) {
        const double here = static_cast<double>(a.at(y, x, c));
        if (y + 1 < s.height) dy += std::fabs(static_cast<double>(a.at(y + 1, x, c)) - here);
        if (x + 1 < s.width) dx += std::fabs(static_cast<double>(a.at(y, x + 1, c)) - here);
      }
  if (s.height > 1) dy /= static_cast<double>((s.height - 1) * s.width * s.channels);
  if (s.width > 1) dx /= static_cast<double>(s.height * (s.width - 1) * s.channels);
  return 0.5 * weight * (dy + dx);
}

}  // namespace

TEST_CASE("Squared error is the weighted mean of squared differences") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Random random(1);
    Image a = random.image(shape), b = random.image(shape);
    double sum = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i)
      sum += std::pow(static_cast<double>(a.values[i]) - static_cast<double>(b.values[i]), 2);
    CHECK(error_of(a, b, 3.5) ==
          doctest::Approx(3.5 * sum / static_cast<double>(shape.elements())).epsilon(1e-6));
  }
}

TEST_CASE("Losses of any shape agree with double") {
  Random random(6);
  for (int i = 0; i < 150; ++i) {
    const std::int64_t sides[] = {1, 2, 31, 32, 33, 64, 65, 256, 257, random.between(1, 300)};
    const std::int64_t widths[] = {1, 2, 3, 5, 16, 33, 64};
    const Shape shape{sides[random.between(0, 9)], sides[random.between(0, 9)], widths[random.between(0, 6)]};
    CAPTURE(shape.to_string());
    Image a = random.image(shape), b = random.image(shape);
    double sum = 0;
    for (std::size_t k = 0; k < a.values.size(); ++k)
      sum += std::pow(static_cast<double>(a.values[k]) - static_cast<double>(b.values[k]), 2);
    CHECK(error_of(a, b, 1) == doctest::Approx(sum / static_cast<double>(shape.elements())).epsilon(1e-12));
    CHECK(variation_of(a, 10) == doctest::Approx(variation_definition(a, 10)).epsilon(1e-12));
  }
  Image a = random.image({9, 70, 512}), b = random.image({9, 70, 512});
  double sum = 0;
  for (std::size_t k = 0; k < a.values.size(); ++k)
    sum += std::pow(static_cast<double>(a.values[k]) - static_cast<double>(b.values[k]), 2);
  CHECK(error_of(a, b, 1) == doctest::Approx(sum / static_cast<double>(a.shape.elements())).epsilon(1e-12));
}

TEST_CASE("Squared error's gradient is 2 w (a - b) / n, written, added or in place") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Random random(2);
    Image a = random.image(shape), b = random.image(shape);
    Image result(shape, 99), sum(shape, 1), in_place = a;
    cpu::squared_error_backward(a.view(), b.view(), 3.5, result.view(), false);
    cpu::squared_error_backward(a.view(), b.view(), 3.5, sum.view(), true);
    cpu::squared_error_backward(in_place.view(), b.view(), 3.5, in_place.view(), false);
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      const double expected = 7.0 * (static_cast<double>(a.values[i]) - static_cast<double>(b.values[i])) /
                              static_cast<double>(shape.elements());
      REQUIRE(static_cast<double>(result.values[i]) == doctest::Approx(expected).epsilon(1e-5));
      REQUIRE(sum.values[i] == 1.0f + result.values[i]);
    }
    CHECK(in_place.values == result.values);
  }
}

TEST_CASE("Total variation is half the weight times both mean absolute differences") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Image a = Random(3).image(shape);
    CHECK(variation_of(a, 10) == doctest::Approx(variation_definition(a, 10)).epsilon(1e-9));
  }
}

TEST_CASE("Total variation's gradient predicts its change") {
  for (const Shape shape : {Shape{1, 9, 3}, Shape{9, 1, 3}, Shape{17, 23, 3}}) {
    CAPTURE(shape.to_string());
    Image a = Random(4).image(shape);
    Image slope(shape, 99), sum(shape, 1);
    cpu::total_variation_backward(a.view(), 10, slope.view(), false);
    cpu::total_variation_backward(a.view(), 10, sum.view(), true);
    for (std::size_t i = 0; i < a.values.size(); i += 5) {
      Image up = a, down = a;
      up.values[i] += 1e-4f;
      down.values[i] -= 1e-4f;
      const double width = static_cast<double>(up.values[i]) - static_cast<double>(down.values[i]);
      const double expected = (variation_definition(up, 10) - variation_definition(down, 10)) / width;
      CHECK(static_cast<double>(slope.values[i]) == doctest::Approx(expected).epsilon(1e-4));
      CHECK(sum.values[i] == 1.0f + slope.values[i]);
    }
  }
}

TEST_CASE("Total variation of a flat picture is 0, and so is its gradient") {
  Image flat({6, 7, 3}, 0.25f);
  Image slope(flat.shape, 99);
  cpu::total_variation_backward(flat.view(), 10, slope.view(), false);
  CHECK(variation_of(flat, 10) == 0);
  CHECK(slope.values == std::vector<float>(slope.values.size(), 0.0f));
}

TEST_CASE("Losses are the same bits for any number of threads") {
  Random random(5);
  Image a = random.image({200, 301, 3}), b = random.image({200, 301, 3});
  CHECK(same_for_any_threads([&] {
    const double values[2] = {error_of(a, b, 1), variation_of(a, 1)};
    const float* bits = reinterpret_cast<const float*>(values);
    return std::vector<float>(bits, bits + 4);
  }));
}
