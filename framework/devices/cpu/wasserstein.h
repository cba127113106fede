#pragma once
// Distances between normal distributions that stand for the features of two pictures. Everything in double,
// by one thread; the only door to Eigen, which takes heap memory of its own (see wasserstein_heap).
#include <cstddef>
#include <cstdint>

namespace gramflow::cpu {

/// A target distribution with mean m and covariance S + ridge I, as wasserstein() wants it.
struct NormalTarget {
  const double* mean = nullptr;  ///< C
  const double* root = nullptr;  ///< C x C: the symmetric root of the covariance
  double ridge = 0;              ///< what was added to the covariance's diagonal
  double trace = 0;              ///< of the covariance, ridges included
};

std::size_t wasserstein_scratch(std::int64_t channels);
/// Heap memory that one call takes while it runs, about.
std::size_t wasserstein_heap(std::int64_t channels);

/// Trace of the covariance of a distribution: C gram - mean mean^T, where gram is F F^T / (C H W).
double covariance_trace(const float* gram, const double* mean, std::int64_t channels);
/// Symmetric root of the covariance plus `ridge` on its diagonal, into root (C x C).
void covariance_root(const float* gram, const double* mean, std::int64_t channels, double ridge, double* root,
                     void* scratch);

/// weight * (mean (m - m_t)^2 + (tr S + tr S_t - 2 tr (S_t^1/2 S S_t^1/2)^1/2) / C), the squared
/// 2-Wasserstein distance of the two by channel. The gradients with respect to gram and mean may be null.
double wasserstein(const float* gram, const double* mean, const NormalTarget& target, std::int64_t channels,
                   double weight, float* gram_gradient, double* mean_gradient, void* scratch);

/// weight * (mean (m - m_t)^2 + mean (s - s_t)^2), s = sqrt(mean_square - m^2 + ridge): the same for
/// distributions whose channels are independent.
double mean_variance(const double* mean, const double* mean_square, const double* target_mean,
                     const double* target_square, std::int64_t channels, double ridge, double weight,
                     double* mean_gradient, double* square_gradient);

}  // namespace gramflow::cpu
