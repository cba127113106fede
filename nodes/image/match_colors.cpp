#include "nodes/image/match_colors.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "framework/base/parallel.h"

namespace gramflow {
namespace {

using Matrix = std::array<double, 9>;

constexpr double least_variance = 0.02 * 0.02;

struct Moments {
  std::array<double, 3> mean{};
  Matrix covariance{};
};

/// One after the other, so that any number of threads finds the same.
Moments moments(std::span<const float> rgb) {
  Moments result;
  const double count = static_cast<double>(rgb.size() / 3);
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) result.mean[c] += rgb[i + c];
  for (double& value : result.mean) value /= count;
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
    double d[3];
    for (std::size_t c = 0; c < 3; ++c) d[c] = rgb[i + c] - result.mean[c];
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 3; ++c) result.covariance[r * 3 + c] += d[r] * d[c];
  }
  for (double& value : result.covariance) value /= count;
  return result;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix result{};
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t k = 0; k < 3; ++k) result[r * 3 + c] += a[r * 3 + k] * b[k * 3 + c];
  return result;
}

/// f of a symmetric matrix by way of its eigenvalues, which Jacobi's rotations find.
template <class Function>
Matrix spectral(Matrix a, const Function& f) {
  Matrix v = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  constexpr int sweeps = 30;  // four or five do
  for (int sweep = 0; sweep < sweeps; ++sweep)
    for (const auto& [p, q] : {std::pair<std::size_t, std::size_t>{0, 1}, {0, 2}, {1, 2}}) {
      const double off = a[p * 3 + q];
      if (off == 0) continue;
      const double angle = 0.5 * std::atan2(2 * off, a[q * 3 + q] - a[p * 3 + p]);
      const double c = std::cos(angle), s = std::sin(angle);
      Matrix rotation = {1, 0, 0, 0, 1, 0, 0, 0, 1}, transposed = rotation;
      rotation[p * 3 + p] = rotation[q * 3 + q] = transposed[p * 3 + p] = transposed[q * 3 + q] = c;
      rotation[p * 3 + q] = transposed[q * 3 + p] = s;
      rotation[q * 3 + p] = transposed[p * 3 + q] = -s;
      a = product(transposed, product(a, rotation));
      v = product(v, rotation);
    }
  Matrix result{};
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t k = 0; k < 3; ++k) result[r * 3 + c] += v[r * 3 + k] * f(a[k * 4]) * v[c * 3 + k];
  return result;
}

}  // namespace

ColorMap matching_colors(std::span<const float> image, std::span<const float> like) {
  const Moments from = moments(image), to = moments(like);
  const Matrix root =
      spectral(from.covariance, [](double value) { return std::sqrt(std::max(value, least_variance)); });
  const Matrix inverse =
      spectral(from.covariance, [](double value) { return 1 / std::sqrt(std::max(value, least_variance)); });
  const Matrix middle = spectral(product(root, product(to.covariance, root)),
                                 [](double value) { return std::sqrt(std::max(value, 0.0)); });
  return {product(inverse, product(middle, inverse)), from.mean, to.mean};
}

void apply_color_map(const ColorMap& map, double share, std::span<const float> image, std::span<float> to) {
  constexpr std::size_t block = std::size_t{3} << 12;
  const std::size_t blocks = (image.size() + block - 1) / block;
  parallel_for(static_cast<std::int64_t>(blocks), [&](std::int64_t index, int) {
    const std::size_t begin = static_cast<std::size_t>(index) * block;
    for (std::size_t i = begin; i < std::min(begin + block, image.size()); i += 3) {
      double d[3];
      for (std::size_t c = 0; c < 3; ++c) d[c] = image[i + c] - map.from[c];
      float mapped[3];
      for (std::size_t r = 0; r < 3; ++r) {
        const double value = map.matrix[r * 3] * d[0] + map.matrix[r * 3 + 1] * d[1] +
                             map.matrix[r * 3 + 2] * d[2] + map.to[r];
        mapped[r] = static_cast<float>(std::clamp((1 - share) * image[i + r] + share * value, 0.0, 1.0));
      }
      std::copy_n(mapped, 3, to.begin() + static_cast<std::ptrdiff_t>(i));
    }
  });
}

}  // namespace gramflow
