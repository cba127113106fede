// Colours of one picture for another.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "nodes/image/match_colors.h"

using namespace gramflow;

namespace {

/// Pixels around a mean, spread along three directions that are not the channels.
std::vector<float> cloud(unsigned seed, std::array<double, 3> mean, std::array<double, 3> spread) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<float> rgb;
  for (int i = 0; i < 4000; ++i) {
    const double a = spread[0] * uniform(random), b = spread[1] * uniform(random),
                 c = spread[2] * uniform(random);
    rgb.push_back(static_cast<float>(mean[0] + a + b));
    rgb.push_back(static_cast<float>(mean[1] + a - b + c));
    rgb.push_back(static_cast<float>(mean[2] + a - c));
  }
  return rgb;
}

/// Means, then the covariance.
std::vector<double> moments(const std::vector<float>& rgb) {
  std::vector<double> result(12);
  const auto count = static_cast<double>(rgb.size() / 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) result[i % 3] += rgb[i] / count;
  for (std::size_t i = 0; i < rgb.size(); i += 3)
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 3; ++c)
        result[3 + r * 3 + c] += (rgb[i + r] - result[r]) * (rgb[i + c] - result[c]) / count;
  return result;
}

std::vector<float> matched(const std::vector<float>& image, const std::vector<float>& like,
                           double share = 1) {
  std::vector<float> result(image.size());
  apply_color_map(matching_colors(image, like), share, image, result);
  return result;
}

}  // namespace

TEST_CASE("mean and covariance become those of the other picture") {
  for (unsigned seed = 0; seed < 5; ++seed) {
    const auto image = cloud(seed, {0.4, 0.5, 0.6}, {0.1, 0.08, 0.06});
    const auto like = cloud(seed + 100, {0.6, 0.45, 0.4}, {0.05 + 0.02 * seed, 0.1, 0.09});
    const std::vector<double> found = moments(matched(image, like)), wanted = moments(like);
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(found[i] == doctest::Approx(wanted[i]).epsilon(1e-4));
  }
}

TEST_CASE("a picture's own colours change nothing, and neither does a share of 0") {
  const auto image = cloud(1, {0.4, 0.5, 0.6}, {0.1, 0.08, 0.06});
  const auto like = cloud(2, {0.6, 0.5, 0.4}, {0.05, 0.1, 0.09});
  const auto own = matched(image, image), none = matched(image, like, 0);
  for (std::size_t i = 0; i < image.size(); ++i) {
    CHECK(std::abs(own[i] - image[i]) < 1e-6F);
    CHECK(none[i] == image[i]);
  }
}

TEST_CASE("half a share is half of the way") {
  const auto image = cloud(1, {0.45, 0.5, 0.5}, {0.1, 0.08, 0.06});
  const auto like = cloud(2, {0.55, 0.5, 0.4}, {0.05, 0.1, 0.09});
  const auto half = matched(image, like, 0.5), whole = matched(image, like);
  for (std::size_t i = 0; i < image.size(); i += 97)
    CHECK(half[i] == doctest::Approx((image[i] + whole[i]) / 2));
}

TEST_CASE("the noise of a grey picture does not become confetti, and a flat one stays finite") {
  auto grey = cloud(1, {0.5, 0.5, 0.5}, {0.2, 0.002, 0.002});
  const auto like = cloud(2, {0.5, 0.5, 0.5}, {0.05, 0.1, 0.1});
  const auto result = matched(grey, like);
  double most = 0;
  for (std::size_t i = 0; i < result.size(); i += 3)
    most = std::max(most, static_cast<double>(std::abs((result[i] - result[i + 2]))));
  CHECK(most < 0.1);
  const std::vector<float> flat(300, 0.3F);
  for (const float value : matched(flat, like)) CHECK(std::isfinite(value));
  for (const float value : matched(like, flat)) CHECK(value == doctest::Approx(0.3F));
}
