#include <doctest/doctest.h>

#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;
using cpu::PoolKind;

namespace {

const Shape shapes[] = {{2, 2, 1}, {3, 5, 3}, {6, 8, 16}, {7, 9, 37}, {33, 64, 70}, {1, 4, 3}};

Shape half(Shape s) { return {s.height / 2, s.width / 2, s.channels}; }

/// Values with many ties, so that the order of comparison shows.
Image coarse_image(Shape shape, unsigned seed) {
  Random random(seed);
  Image image(shape);
  for (float& value : image.values) value = static_cast<float>(random.between(-2, 2));
  return image;
}

struct Pooled {
  Image values;
  std::vector<std::uint8_t> index;
};

Pooled run_pool(PoolKind kind, Image& input) {
  Pooled result{Image(half(input.shape), -99), {}};
  result.index.assign(result.values.values.size() + 1, 99);
  cpu::pool(kind, input.view(), result.values.view(), kind == PoolKind::max ? result.index.data() : nullptr);
  return result;
}

std::size_t at(Shape s, std::int64_t y, std::int64_t x, std::int64_t c) {
  return static_cast<std::size_t>((y * s.width + x) * s.channels + c);
}

template <class Check>
void for_elements(Shape s, Check&& check) {
  for (std::int64_t y = 0; y < s.height; ++y)
    for (std::int64_t x = 0; x < s.width; ++x)
      for (std::int64_t c = 0; c < s.channels; ++c) check(y, x, c);
}

}  // namespace

TEST_CASE("Max pooling takes the first maximum of each square and says which") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Image input = coarse_image(shape, 1);
    const Pooled pooled = run_pool(PoolKind::max, input);
    for_elements(pooled.values.shape, [&](std::int64_t y, std::int64_t x, std::int64_t c) {
      float best = input.at(2 * y, 2 * x, c);
      int which = 0;
      for (int k = 1; k < 4; ++k)
        if (input.at(2 * y + k / 2, 2 * x + k % 2, c) > best)
          best = input.at(2 * y + k / 2, 2 * x + k % 2, c), which = k;
      REQUIRE(pooled.values.at(y, x, c) == best);
      REQUIRE(pooled.index[at(pooled.values.shape, y, x, c)] == which);
    });
    CHECK(pooled.index.back() == 99);
  }
}

TEST_CASE("Average pooling is the mean of each square") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Image input = Random(2).image(shape);
    const Pooled pooled = run_pool(PoolKind::average, input);
    for_elements(pooled.values.shape, [&](std::int64_t y, std::int64_t x, std::int64_t c) {
      double mean = 0;
      for (int k = 0; k < 4; ++k)
        mean += 0.25 * static_cast<double>(input.at(2 * y + k / 2, 2 * x + k % 2, c));
      REQUIRE(static_cast<double>(pooled.values.at(y, x, c)) == doctest::Approx(mean).epsilon(1e-5));
    });
  }
}

TEST_CASE("Pooling's gradient goes to the maximum, or to all four; what an odd size left out gets none") {
  for (const Shape shape : shapes)
    for (const PoolKind kind : {PoolKind::max, PoolKind::average}) {
      CAPTURE(shape.to_string());
      Image input = coarse_image(shape, 3);
      const Pooled pooled = run_pool(kind, input);
      Image gradient = Random(4).image(half(shape));
      Image result(shape, 99);
      cpu::pool_backward(kind, gradient.view(), pooled.index.data(), result.view(), false);
      Image sum(shape, 1);
      cpu::pool_backward(kind, gradient.view(), pooled.index.data(), sum.view(), true);
      for_elements(shape, [&](std::int64_t y, std::int64_t x, std::int64_t c) {
        float expected = 0;
        if (y / 2 < shape.height / 2 && x / 2 < shape.width / 2) {
          const float whole = gradient.at(y / 2, x / 2, c);
          const int corner = static_cast<int>(2 * (y % 2) + x % 2);
          const bool chosen =
              kind == PoolKind::max && pooled.index[at(gradient.shape, y / 2, x / 2, c)] == corner;
          expected = kind == PoolKind::average ? 0.25f * whole : (chosen ? whole : 0.0f);
        }
        REQUIRE(result.at(y, x, c) == expected);
        REQUIRE(sum.at(y, x, c) == 1.0f + expected);
      });
    }
}

TEST_CASE("ReLU keeps what is positive and remembers it in a mask") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Image input = coarse_image(shape, 5);
    Image output(shape, 99);
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(shape.pixels() * ((shape.channels + 7) / 8)),
                                   0xAA);
    cpu::relu(input.view(), output.view(), mask.data());
    for (std::size_t i = 0; i < input.values.size(); ++i)
      REQUIRE(output.values[i] == (input.values[i] > 0 ? input.values[i] : 0.0f));
    CHECK(mask == mask_of(input.values, shape));
    cpu::relu(input.view(), input.view(), nullptr);
    CHECK(input.values == output.values);
  }
}

TEST_CASE("ReLU's gradient passes where the mask is set") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Random random(6);
    Image gradient = random.image(shape);
    const std::vector<std::uint8_t> mask = mask_of(random.floats(gradient.values.size()), shape);
    Image result(shape, 99), sum(shape, 1);
    cpu::relu_backward(gradient.view(), mask.data(), result.view(), false);
    cpu::relu_backward(gradient.view(), mask.data(), sum.view(), true);
    for (std::size_t i = 0; i < gradient.values.size(); ++i) {
      const float expected = bit(mask, shape, static_cast<std::int64_t>(i)) ? gradient.values[i] : 0.0f;
      REQUIRE(result.values[i] == expected);
      REQUIRE(sum.values[i] == 1.0f + expected);
    }
  }
}
