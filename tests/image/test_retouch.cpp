// Grading and sharpening against what their definitions say of single values, edges and flat areas.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "nodes/image/grade.h"
#include "nodes/image/sharpen.h"
#include "nodes/image/transfer.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::vector<float> graded(std::vector<float> pixel, const Grading& grading) {
  grade(pixel, pixel, grading);
  return pixel;
}

Picture sharpened(const Picture& picture, double radius, double amount) {
  const Sharpener sharpener(picture.size(), radius, amount);
  std::vector<float> scratch(sharpener.scratch_floats());
  Picture result(picture.size());
  sharpener.run(picture.rgb, result.rgb, scratch);
  return result;
}

/// Dark left, light right.
Picture edge(int width, int height) {
  Picture picture(PictureSize{width, height});
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (float& value : picture.pixel(x, y)) value = x < width / 2 ? 0.25F : 0.75F;
  return picture;
}

}  // namespace

TEST_CASE("a grading that does nothing changes no bit") {
  const Picture picture = sample_picture(61, 40);
  CHECK(graded(picture.rgb, {}) == picture.rgb);
}

TEST_CASE("a stop of exposure doubles the light") {
  const float before = 0.4F;
  const float after = graded({before, before, before}, {.exposure = 1})[0];
  CHECK(linear_from_srgb(after) == doctest::Approx(2 * linear_from_srgb(before)).epsilon(1e-5));
}

TEST_CASE("without saturation every pixel is its luma, which stays") {
  const auto grey = graded({0.9F, 0.2F, 0.4F}, {.saturation = 0});
  CHECK(grey[0] == doctest::Approx(0.2126 * 0.9 + 0.7152 * 0.2 + 0.0722 * 0.4));
  CHECK(grey[0] == grey[1]);
  CHECK(grey[1] == grey[2]);
}

TEST_CASE("contrast turns around middle grey and goes on beyond white, gamma keeps black and white") {
  CHECK(graded({0.5F, 0.6F, 0.9F}, {.contrast = 2}) ==
        std::vector<float>{0.5F, 0.5F + 2 * (0.6F - 0.5F), 0.5F + 2 * (0.9F - 0.5F)});
  const auto bright = graded({0, 0.25F, 1}, {.gamma = 2});
  CHECK(bright[0] == 0);
  CHECK(bright[1] == doctest::Approx(0.5));
  CHECK(bright[2] == 1);
}

TEST_CASE("sharpening leaves flat areas alone and steepens an edge") {
  const Picture picture = edge(40, 9);
  const Picture result = sharpened(picture, 1.5, 0.8);
  CHECK(std::abs(result.pixel(2, 4)[0] - 0.25F) < 1e-6F);
  CHECK(std::abs(result.pixel(37, 0)[1] - 0.75F) < 1e-6F);
  CHECK(result.pixel(19, 4)[0] < 0.2F);
  CHECK(result.pixel(20, 4)[0] > 0.8F);
}

TEST_CASE("an amount of -1 leaves the blur: what is sharpened is the Gaussian's rest") {
  Picture point(PictureSize{31, 31});
  point.pixel(15, 15)[1] = 1;
  const Picture blurred = sharpened(point, 2, -1);
  double sum = 0;
  for (const float value : blurred.rgb) sum += value;
  CHECK(sum == doctest::Approx(1).epsilon(1e-5));
  CHECK(blurred.pixel(15, 15)[1] / blurred.pixel(17, 15)[1] == doctest::Approx(std::exp(0.5)).epsilon(1e-4));
}

TEST_CASE("sharpening may be done in place, and pictures may be smaller than the blur") {
  Picture picture = sample_picture(5, 3);
  const Picture expected = sharpened(picture, 4, 0.5);
  const Sharpener sharpener(picture.size(), 4, 0.5);
  std::vector<float> scratch(sharpener.scratch_floats());
  sharpener.run(picture.rgb, picture.rgb, scratch);
  CHECK(picture.rgb == expected.rgb);
}
