#pragma once
// Colours of one picture brought to those of another: the linear map of RGB after which mean and covariance are alike.
#include <array>
#include <span>

namespace gramflow {

/// A point p goes to matrix * (p - from) + to.
struct ColorMap {
  std::array<double, 9> matrix{};  ///< row by row
  std::array<double, 3> from{};
  std::array<double, 3> to{};
};

/// Of all maps that give `image` the mean and the covariance of `like`, the one that moves colours least (the optimal
/// transport between two normal distributions): A = R^-1 (R S R)^1/2 R^-1, R the root of image's covariance, S that of
/// `like`. Spread below 0.02 along an axis of the covariance counts as 0.02, so that the noise of a grey photograph does
/// not become confetti. Both hold whole RGB pixels, one at least.
ColorMap matching_colors(std::span<const float> image, std::span<const float> like);

/// `to` = (1 - share) * image + share * mapped image, cut off at 0 and 1. `to` may be `image`. From one parallel_for.
void apply_color_map(const ColorMap& map, double share, std::span<const float> image, std::span<float> to);

}  // namespace gramflow
