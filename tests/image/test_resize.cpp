#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "nodes/image/noise.h"
#include "nodes/image/resize.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const std::vector<ResizeFilter> all_filters = {ResizeFilter::nearest, ResizeFilter::box,
                                               ResizeFilter::triangle, ResizeFilter::cubic,
                                               ResizeFilter::lanczos3};
const std::vector<PictureSize> sizes = {{1, 1}, {7, 5}, {16, 12}, {33, 24}, {64, 3}, {3, 64}};

double mean(const Picture& picture) {
  return std::accumulate(picture.rgb.begin(), picture.rgb.end(), 0.0) /
         static_cast<double>(picture.rgb.size());
}

// The definition, straight: every output pixel from every input pixel, in double.
double triangle_by_definition(const Picture& in, PictureSize to, int ox, int oy, std::size_t c) {
  const auto weight = [](int i, int from, int target, int k) {
    const double scale = static_cast<double>(from) / target;
    const double stretch = std::max(1.0, scale);
    return std::max(0.0, 1 - std::abs((k + 0.5) - (i + 0.5) * scale) / stretch);
  };
  double sum = 0;
  double weights = 0;
  for (int y = 0; y < in.height; ++y)
    for (int x = 0; x < in.width; ++x) {
      const double w = weight(ox, in.width, to.width, x) * weight(oy, in.height, to.height, y);
      sum += w * in.pixel(x, y)[c];
      weights += w;
    }
  return sum / weights;
}

}  // namespace

TEST_CASE("the longest side becomes exactly what was asked, the aspect is kept") {
  CHECK(target_size(WantedSize::longest_side(512), {900, 600}) == PictureSize{512, 341});
  CHECK(target_size(WantedSize::longest_side(512), {600, 900}) == PictureSize{341, 512});
  CHECK(target_size(WantedSize::longest_side(1800), {900, 600}) == PictureSize{1800, 1200});
  CHECK(target_size(WantedSize::longest_side(5), {10, 1}) == PictureSize{5, 1});  // 0.5 is rounded up
  CHECK(target_size(WantedSize::longest_side(100), {30000, 2}) == PictureSize{100, 1});
}

TEST_CASE("an exact size is taken as it is, and no size is the picture's own") {
  CHECK(target_size(WantedSize::exactly(450, 300), {11, 1000}) == PictureSize{450, 300});
  CHECK(target_size({}, {11, 1000}) == PictureSize{11, 1000});
}

TEST_CASE("a constant picture stays constant under every filter") {
  Picture flat(PictureSize{16, 12});
  std::fill(flat.rgb.begin(), flat.rgb.end(), 0.3F);
  for (const ResizeFilter filter : all_filters)
    for (const PictureSize size : sizes) {
      CAPTURE(std::string(name_of(filter)));
      for (const float value : resize(flat, size, filter).rgb) REQUIRE(std::abs(value - 0.3F) < 1e-6F);
    }
}

TEST_CASE("the same size gives the same picture") {
  const Picture picture = noise(9, 7, {});
  for (const ResizeFilter filter : all_filters) {
    CAPTURE(std::string(name_of(filter)));
    CHECK(resize(picture, picture.size(), filter).rgb == picture.rgb);
    Resizer resizer(picture.size(), picture.size(), filter);
    Picture copy(picture.size());
    std::vector<float> scratch(resizer.scratch_floats());
    resizer.run(picture.rgb, copy.rgb, scratch);
    CHECK(copy.rgb == picture.rgb);
  }
}

TEST_CASE("triangle equals its definition, smaller and larger") {
  const Picture picture = noise(13, 11, {.seed = 4});
  for (const PictureSize size : sizes) {
    const Picture result = resize(picture, size);
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x)
        for (std::size_t c = 0; c < 3; ++c)
          REQUIRE(std::abs(result.pixel(x, y)[c] - triangle_by_definition(picture, size, x, y, c)) < 1e-6);
  }
}

TEST_CASE("a linear ramp stays one away from the borders") {
  Picture ramp(PictureSize{60, 4});
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 60; ++x)
      for (float& value : ramp.pixel(x, y)) value = (static_cast<float>(x) + 0.5F) / 60;
  for (const ResizeFilter filter : {ResizeFilter::triangle, ResizeFilter::box, ResizeFilter::cubic}) {
    const Picture half = resize(ramp, {30, 4}, filter);
    for (int x = 4; x < 26; ++x) CHECK(half.pixel(x, 2)[0] == doctest::Approx((x + 0.5) / 30).epsilon(1e-5));
  }
  const Picture twice = resize(ramp, {120, 4});
  for (int x = 4; x < 116; ++x) CHECK(twice.pixel(x, 2)[1] == doctest::Approx((x + 0.5) / 120).epsilon(1e-5));
}

TEST_CASE("halving with the box filter averages two by two") {
  const Picture picture = noise(10, 6, {.seed = 1});
  const Picture half = resize(picture, {5, 3}, ResizeFilter::box);
  const float expected =
      (picture.pixel(4, 2)[1] + picture.pixel(5, 2)[1] + picture.pixel(4, 3)[1] + picture.pixel(5, 3)[1]) / 4;
  CHECK(half.pixel(2, 1)[1] == doctest::Approx(expected));
}

TEST_CASE("shrinking by a whole factor keeps the mean brightness, up to the borders") {
  const Picture picture = noise(240, 160, {.seed = 2});
  CHECK(mean(resize(picture, {60, 40}, ResizeFilter::box)) == doctest::Approx(mean(picture)).epsilon(1e-5));
  CHECK(mean(resize(picture, {60, 40})) == doctest::Approx(mean(picture)).epsilon(1e-2));
}

TEST_CASE("fine stripes shrink to grey instead of aliasing") {
  Picture stripes(PictureSize{128, 8});
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 128; ++x)
      for (float& value : stripes.pixel(x, y)) value = static_cast<float>(x % 2);
  for (int x = 2; x < 28; ++x)
    CHECK(resize(stripes, {30, 8}).pixel(x, 4)[0] == doctest::Approx(0.5).epsilon(0.1));
}

TEST_CASE("mirrored input gives mirrored output") {
  const Picture picture = noise(17, 5, {.seed = 3});
  const auto mirrored = [](const Picture& p) {
    Picture m(p.size());
    for (int y = 0; y < p.height; ++y)
      for (int x = 0; x < p.width; ++x)
        std::copy_n(p.pixel(x, y).begin(), 3, m.pixel(p.width - 1 - x, y).begin());
    return m;
  };
  for (const ResizeFilter filter : {ResizeFilter::triangle, ResizeFilter::cubic, ResizeFilter::lanczos3})
    CHECK(difference(resize(mirrored(picture), {7, 9}, filter), mirrored(resize(picture, {7, 9}, filter))) <
          1e-4);
}

TEST_CASE("filters that overshoot are not cut off: what lies beyond [0, 1] is Save's business") {
  const Picture picture = noise(20, 20, {.deviation = 3});
  for (const ResizeFilter filter : {ResizeFilter::cubic, ResizeFilter::lanczos3}) {
    const Picture larger = resize(picture, {47, 31}, filter);
    CHECK(std::any_of(larger.rgb.begin(), larger.rgb.end(),
                      [](float value) { return value < 0 || value > 1; }));
  }
}
