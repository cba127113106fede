#include <doctest/doctest.h>

#include <cmath>

#include "nodes/image/noise.h"

using namespace gramflow;

namespace {

struct Moments {
  double mean = 0;
  double deviation = 0;
};
Moments moments(const Picture& picture) {
  double sum = 0;
  double squares = 0;
  for (const float v : picture.rgb) sum += v, squares += double{v} * v;
  const auto n = static_cast<double>(picture.rgb.size());
  return {sum / n, std::sqrt(squares / n - sum / n * sum / n)};
}

}  // namespace

TEST_CASE("noise has the mean and deviation it was asked for") {
  for (const NoiseKind kind : {NoiseKind::uniform, NoiseKind::bell}) {
    const Moments found =
        moments(noise(200, 200, {.seed = 7, .kind = kind, .mean = 0.4F, .deviation = 0.1F}));
    CHECK(found.mean == doctest::Approx(0.4).epsilon(0.004));
    CHECK(found.deviation == doctest::Approx(0.1).epsilon(0.01));
  }
}

TEST_CASE("default noise fills [0, 1] evenly") {
  int low = 0;
  const Picture picture = noise(100, 100, {});
  for (const float v : picture.rgb) {
    REQUIRE((v >= 0 && v <= 1));
    if (v < 0.25F) ++low;
  }
  CHECK(low == doctest::Approx(7500).epsilon(0.04));
}

TEST_CASE("noise is the same bits on every machine") {
  // Philox4x32-10 of counter {0,0,0,0} and key {0,0} begins 6627e8d5 (the authors' known-answer test).
  const float expected =
      0.5F + 0.28867513F * static_cast<float>((2 * ((0x6627e8) + 0.5) * 0x1p-24 - 1) * 1.7320508075688772);
  CHECK(noise(1, 1, {}).rgb[0] == expected);
}

TEST_CASE("a larger picture contains the smaller one; another seed is another picture") {
  const Picture small = noise(20, 10, {.seed = 5});
  const Picture large = noise(40, 30, {.seed = 5});
  for (int y = 0; y < 10; ++y)
    for (int x = 0; x < 20; ++x) REQUIRE(small.pixel(x, y)[2] == large.pixel(x, y)[2]);
  CHECK(noise(20, 10, {.seed = 6}).rgb != small.rgb);
  CHECK(noise(20, 10, {.seed = 5 + (std::uint64_t{1} << 40)}).rgb != small.rgb);
}

TEST_CASE("neighbours and channels are not correlated") {
  const Picture picture = noise(300, 300, {.seed = 9});
  double beside = 0;
  double channels = 0;
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x + 1 < 300; ++x) {
      beside += (picture.pixel(x, y)[0] - 0.5) * (picture.pixel(x + 1, y)[0] - 0.5);
      channels += (picture.pixel(x, y)[0] - 0.5) * (picture.pixel(x, y)[1] - 0.5);
    }
  CHECK(std::abs(beside / 89700 * 12) < 0.015);  // correlation, 4.5 standard errors
  CHECK(std::abs(channels / 89700 * 12) < 0.015);
}
