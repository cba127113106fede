#include <doctest/doctest.h>

#include "tests/kernels/reference.h"

using namespace gramflow;
using namespace gramflow::testing;

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
  Image features = random.image({70, 90, 72});
  Image gradient = random.image({72, 72, 1});
  CHECK(same_for_any_threads([&] { return run_gram(features).values; }));
  CHECK(same_for_any_threads([&] { return run_gram_backward(features, gradient, false); }));
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
