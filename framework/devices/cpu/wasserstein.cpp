// The 2-Wasserstein distance of two normal distributions has a closed form (Olkin and Pukelsheim 1982):
//   |m - m_t|^2 + tr S + tr S_t - 2 tr (R S R)^1/2,  R = S_t^1/2
// With the eigenvectors Q and eigenvalues w of R S R, the last trace is the sum of sqrt(w), and its
// derivative with respect to S is 1/2 G, G = R Q w^-1/2 Q^T R, the map that transports one distribution to
// the other. A deep layer of a small picture has fewer positions than channels; the ridges on both diagonals
// keep G finite.
#include "framework/devices/cpu/wasserstein.h"

#define EIGEN_DONT_PARALLELIZE  // TBB owns the cores, and bits must not depend on their number
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace gramflow::cpu {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<Matrix>;
using Solver = Eigen::SelfAdjointEigenSolver<Matrix>;

constexpr double smallest_share = 1e-8;  // roots below this share of the largest are rounding

MatrixMap map(double* data, std::int64_t channels) { return {data, channels, channels}; }

double variance(const float* gram, const double* mean, std::int64_t channels, std::int64_t i) {
  return static_cast<double>(channels) * static_cast<double>(gram[i * channels + i]) - mean[i] * mean[i];
}

void covariance(const float* gram, const double* mean, std::int64_t channels, double ridge, double* to) {
  for (std::int64_t i = 0; i < channels; ++i)
    for (std::int64_t j = 0; j < channels; ++j)
      to[i * channels + j] = static_cast<double>(channels) * static_cast<double>(gram[i * channels + j]) -
                             mean[i] * mean[j] + (i == j ? ridge : 0.0);
}

}  // namespace

std::size_t wasserstein_scratch(std::int64_t channels) {
  return static_cast<std::size_t>(3 * channels * channels) * sizeof(double);
}

std::size_t wasserstein_heap(std::int64_t channels) {
  return static_cast<std::size_t>(2 * channels * channels + 1024 * channels) * sizeof(double);
}

double covariance_trace(const float* gram, const double* mean, std::int64_t channels) {
  double trace = 0;
  for (std::int64_t i = 0; i < channels; ++i) trace += variance(gram, mean, channels, i);
  return trace;
}

void covariance_root(const float* gram, const double* mean, std::int64_t channels, double ridge, double* root,
                     void* scratch) {
  auto* memory = static_cast<double*>(scratch);
  covariance(gram, mean, channels, ridge, memory);
  const Solver solver(map(memory, channels));
  MatrixMap scaled = map(memory, channels);
  scaled = solver.eigenvectors() * solver.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal();
  map(root, channels).noalias() = scaled * solver.eigenvectors().transpose();
}

double wasserstein(const float* gram, const double* mean, const NormalTarget& target, std::int64_t channels,
                   double weight, float* gram_gradient, double* mean_gradient, void* scratch) {
  auto* memory = static_cast<double*>(scratch);
  const std::int64_t square = channels * channels;
  MatrixMap own = map(memory, channels);
  MatrixMap product = map(memory + square, channels);
  MatrixMap inner = map(memory + 2 * square, channels);
  const Eigen::Map<const Matrix> root(target.root, channels, channels);
  covariance(gram, mean, channels, target.ridge, own.data());
  product.noalias() = root * own;
  inner.noalias() = product * root;
  product = 0.5 * (inner + inner.transpose());
  const Solver solver(product);
  const Eigen::VectorXd roots = solver.eigenvalues().cwiseMax(0.0).cwiseSqrt();
  const double by_channel = weight / static_cast<double>(channels);
  double distance = own.trace() + target.trace - 2 * roots.sum();
  for (std::int64_t i = 0; i < channels; ++i)
    distance += (mean[i] - target.mean[i]) * (mean[i] - target.mean[i]);
  if (gram_gradient == nullptr && mean_gradient == nullptr) return by_channel * distance;

  const double least = smallest_share * roots.maxCoeff();
  Eigen::VectorXd inverse(channels);
  for (std::int64_t i = 0; i < channels; ++i) inverse[i] = roots[i] > least ? 1 / roots[i] : 0.0;
  own.noalias() = root * solver.eigenvectors();
  product = own * inverse.asDiagonal();
  inner.noalias() = product * own.transpose();  // G
  for (std::int64_t i = 0; i < channels; ++i) {
    double pull = 0;  // row i of (I - G) m
    for (std::int64_t j = 0; j < channels; ++j) {
      const double slope = (i == j ? 1.0 : 0.0) - inner(i, j);
      pull += slope * mean[j];
      // S = C gram - m m^T, so the C of the mean over channels cancels.
      if (gram_gradient != nullptr) gram_gradient[i * channels + j] = static_cast<float>(weight * slope);
    }
    if (mean_gradient != nullptr) mean_gradient[i] = 2 * by_channel * (mean[i] - target.mean[i] - pull);
  }
  return by_channel * distance;
}

double mean_variance(const double* mean, const double* mean_square, const double* target_mean,
                     const double* target_square, std::int64_t channels, double ridge, double weight,
                     double* mean_gradient, double* square_gradient) {
  const double by_channel = weight / static_cast<double>(channels);
  const auto deviation = [ridge](double m, double square) {
    return std::sqrt(std::max(0.0, square - m * m) + ridge);
  };
  double distance = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    const double own = deviation(mean[c], mean_square[c]);
    const double shift = mean[c] - target_mean[c];
    const double spread = own - deviation(target_mean[c], target_square[c]);
    distance += shift * shift + spread * spread;
    const bool varies = mean_square[c] > mean[c] * mean[c] && own > 0;
    const double slope = varies ? by_channel * spread / own : 0.0;  // with respect to the variance
    if (square_gradient != nullptr) square_gradient[c] = slope;
    if (mean_gradient != nullptr) mean_gradient[c] = 2 * by_channel * shift - 2 * slope * mean[c];
  }
  return by_channel * distance;
}

}  // namespace gramflow::cpu
