#include <doctest/doctest.h>

#include <algorithm>

#include "framework/base/parallel.h"
#include "tests/support/reference.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const Shape shapes[] = {{1, 1, 1}, {1, 7, 3}, {5, 9, 16}, {40, 33, 48}, {23, 31, 67}, {64, 130, 130}};

Image run_gram(Image& features) {
  const std::int64_t channels = features.shape.channels;
  Image result({channels, channels, 1}, -1);
  Scratch scratch(cpu::gram_scratch(features.shape));
  cpu::gram(features.view(), result.view(), scratch.data());
  CHECK(scratch.intact());
  return result;
}

std::vector<float> run_gram_backward(Image& features, Image& gradient, bool in_place) {
  Image result(features.shape, -1);
  if (in_place) result.values = features.values;
  Image& read = in_place ? result : features;
  Scratch scratch(cpu::gram_backward_scratch(features.shape));
  cpu::gram_backward(read.view(), gradient.view(), result.view(), false, scratch.data());
  CHECK(scratch.intact());
  return result.values;
}

Doubles gram_definition(const Image& f) {
  const std::int64_t channels = f.shape.channels;
  Doubles g(static_cast<std::size_t>(channels * channels));
  for (std::int64_t p = 0; p < f.shape.pixels(); ++p)
    for (std::int64_t i = 0; i < channels; ++i)
      for (std::int64_t j = 0; j < channels; ++j)
        g[static_cast<std::size_t>(i * channels + j)] +=
            static_cast<double>(f.values[static_cast<std::size_t>(p * channels + i)]) *
            static_cast<double>(f.values[static_cast<std::size_t>(p * channels + j)]);
  for (double& value : g) value /= static_cast<double>(f.shape.elements());
  return g;
}

Doubles gradient_definition(const Image& f, const Image& d) {
  const std::int64_t channels = f.shape.channels;
  Doubles result(f.values.size());
  for (std::int64_t p = 0; p < f.shape.pixels(); ++p)
    for (std::int64_t i = 0; i < channels; ++i)
      for (std::int64_t j = 0; j < channels; ++j)
        result[static_cast<std::size_t>(p * channels + j)] +=
            static_cast<double>(f.values[static_cast<std::size_t>(p * channels + i)]) *
            (static_cast<double>(d.at(i, j, 0)) + static_cast<double>(d.at(j, i, 0))) /
            static_cast<double>(f.shape.elements());
  return result;
}

}  // namespace

TEST_CASE("A Gram matrix is F^T F over the number of elements, and exactly symmetric") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Image features = Random(1).image(shape);
    const Image g = run_gram(features);
    CHECK(relative_rms(g.values, gram_definition(features)) < 2e-6);
    for (std::int64_t i = 0; i < shape.channels; ++i)
      for (std::int64_t j = 0; j < i; ++j) REQUIRE(g.at(i, j, 0) == g.at(j, i, 0));
  }
}

TEST_CASE("Gram matrices of any shape agree with double") {
  Random random(6);
  for (int i = 0; i < 60; ++i) {
    const std::int64_t sides[] = {1, 2, 31, 32, 33, 64, 65, random.between(1, 140)};
    Shape shape{sides[random.between(0, 7)], sides[random.between(0, 7)], random.between(1, 20)};
    if (random.between(0, 1) == 0) shape.channels *= 16;
    CAPTURE(shape.to_string());
    Image features = random.image(shape);
    Image gradient = random.image({shape.channels, shape.channels, 1});
    CHECK(relative_rms(run_gram(features).values, gram_definition(features)) < 1e-6);
    CHECK(relative_rms(run_gram_backward(features, gradient, true), gradient_definition(features, gradient)) <
          2e-6);
  }
  for (const std::int64_t channels : {496, 511, 512}) {
    CAPTURE(channels);
    Image features = random.image({35, 40, channels});
    CHECK(relative_rms(run_gram(features).values, gram_definition(features)) < 1e-6);
  }
}

TEST_CASE("A large map loses nothing: every element is as exact as floats are") {
  // A million positions; as after ReLU, nothing cancels.
  for (const std::int64_t channels : {15, 16}) {
    CAPTURE(channels);
    Image features = Random(7).image({4096, 256, channels});
    for (float& value : features.values) value = std::max(value, 0.0F);
    const Image g = run_gram(features);
    const Doubles expected = gram_definition(features);
    for (std::size_t i = 0; i < expected.size(); ++i)
      REQUIRE(static_cast<double>(g.values[i]) == doctest::Approx(expected[i]).epsilon(2.5e-7));
  }
}

TEST_CASE("The bits of a square of positions do not depend on the picture around it") {
  // Zeros around a tile of 64 positions add nothing, and the scales are powers of two.
  for (const std::int64_t channels : {4, 16, 64}) {
    CAPTURE(channels);
    Random random(8);
    Image tile = random.image({64, 64, channels});
    const Image alone = run_gram(tile);
    for (const Shape shape : {Shape{64, 128, channels}, {256, 64, channels}, {512, 256, channels}})
      for (const bool corner : {true, false}) {
        CAPTURE(shape.to_string());
        Image wide(shape);
        const std::int64_t y0 = corner ? 0 : shape.height - 64, x0 = corner ? 0 : shape.width - 64;
        for (std::int64_t y = 0; y < 64; ++y)
          std::copy_n(tile.values.begin() + y * 64 * channels, 64 * channels,
                      wide.values.begin() + ((y0 + y) * shape.width + x0) * channels);
        const Image g = run_gram(wide);
        const float ratio = static_cast<float>(shape.pixels() / tile.shape.pixels());
        for (std::size_t i = 0; i < g.values.size(); ++i) REQUIRE(g.values[i] * ratio == alone.values[i]);
      }
  }
}

TEST_CASE("Scratch for Gram matrices and losses does not depend on the number of threads") {
  const Shape shape{300, 500, 64};
  std::vector<std::size_t> sizes;
  for (const int threads : {1, 8}) {
    ThreadScope scope(threads);
    scope.execute([&] {
      sizes.push_back(cpu::gram_scratch(shape) + cpu::gram_backward_scratch(shape) +
                      cpu::squared_error_scratch(shape) + cpu::total_variation_scratch(shape));
    });
  }
  CHECK(sizes[0] == sizes[1]);
}

TEST_CASE("The sums of a Gram matrix fit into a few MiB, whatever the picture") {
  // Of 900x600 and of 64 megapixels, for the widths of VGG-19 at their scales.
  for (const std::int64_t channels : {64, 128, 256, 512}) {
    CAPTURE(channels);
    const std::int64_t scale = channels / 64;
    CHECK(cpu::gram_scratch({600 / scale, 900 / scale, channels}) < std::size_t{8} << 20);
    CHECK(cpu::gram_scratch({8192 / scale, 8192 / scale, channels}) < std::size_t{32} << 20);
  }
}

TEST_CASE("The gradient of a Gram matrix is F (D + D^T) over the number of elements") {
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Random random(2);
    Image features = random.image(shape);
    Image gradient = random.image({shape.channels, shape.channels, 1});
    const std::vector<float> result = run_gram_backward(features, gradient, false);
    CHECK(relative_rms(result, gradient_definition(features, gradient)) < 2e-6);
  }
}

TEST_CASE("The gradient may replace the features, or be added") {
  Random random(3);
  for (const Shape shape : shapes) {
    CAPTURE(shape.to_string());
    Image features = random.image(shape);
    Image gradient = random.image({shape.channels, shape.channels, 1});
    const std::vector<float> plain = run_gram_backward(features, gradient, false);
    CHECK(run_gram_backward(features, gradient, true) == plain);
    Image sum = random.image(shape);
    const std::vector<float> before = sum.values;
    Scratch scratch(cpu::gram_backward_scratch(shape));
    cpu::gram_backward(features.view(), gradient.view(), sum.view(), true, scratch.data());
    for (std::size_t i = 0; i < plain.size(); ++i) REQUIRE(sum.values[i] == before[i] + plain[i]);
  }
}

TEST_CASE("Gram matrices and their gradients are the same bits for any number of threads") {
  Random random(4);
  for (const Shape shape : {Shape{70, 90, 72}, {300, 41, 64}, {33, 34, 208}}) {
    CAPTURE(shape.to_string());
    Image features = random.image(shape);
    Image gradient = random.image({shape.channels, shape.channels, 1});
    CHECK(same_for_any_threads([&] { return run_gram(features).values; }));
    CHECK(same_for_any_threads([&] { return run_gram_backward(features, gradient, false); }));
    CHECK(same_for_any_threads([&] { return run_gram_backward(features, gradient, true); }));
  }
}

TEST_CASE("The gradient predicts how the Gram matrix changes") {
  Random random(5);
  Image features = random.image({4, 5, 6});
  Image direction = random.image({6, 6, 1});
  const auto value = [&](Image& f) {
    const Doubles g = gram_definition(f);
    double sum = 0;
    for (std::size_t i = 0; i < g.size(); ++i) sum += g[i] * static_cast<double>(direction.values[i]);
    return sum;
  };
  const std::vector<float> slope = run_gram_backward(features, direction, false);
  for (const std::size_t at : {std::size_t{0}, std::size_t{17}, std::size_t{119}}) {
    Image up = features, down = features;
    up.values[at] += 0.01f;
    down.values[at] -= 0.01f;
    const double width = static_cast<double>(up.values[at]) - static_cast<double>(down.values[at]);
    CHECK(static_cast<double>(slope[at]) == doctest::Approx((value(up) - value(down)) / width).epsilon(1e-4));
  }
}
