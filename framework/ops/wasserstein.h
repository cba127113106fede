#pragma once
// Style losses of one layer that compare distributions of features instead of Gram matrices, in double.
//
//   m, S: mean and covariance of the features over positions; both covariances get a ridge on the diagonal
//   w2:             weight (mean (m - m_t)^2 + tr (S + S_t - 2 (S_t^1/2 S S_t^1/2)^1/2) / C)
//   mean-variance:  weight (mean (m - m_t)^2 + mean (s - s_t)^2), s = sqrt(variance + ridge)
//
// (The first is crowsonkb's style loss; the second is it for independent channels.) The ridge is epsilon,
// or epsilon times the target's mean variance. `relative` divides by the mean square of the target's
// features.
#include "framework/ops/op.h"

namespace gramflow {

struct DistributionOptions {
  double weight = 1;
  double epsilon = 1e-4;
  bool epsilon_relative = true;
  bool relative = false;
};

/// Gram matrix and mean of the target -> root of its covariance, numbers that W2 needs. Made once.
class CovarianceRoot final : public Op {
 public:
  enum Input { gram, mean };
  enum Output { root, numbers };
  CovarianceRoot(DistributionOptions options, std::int64_t channels)
      : options_(options), channels_(channels) {}
  const DistributionOptions& options() const { return options_; }
  std::int64_t channels() const { return channels_; }
  std::string_view kind() const override { return "CovarianceRoot"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;

 private:
  DistributionOptions options_;
  std::int64_t channels_;
};

/// Gram matrix, mean, the target's mean, root, numbers -> loss (f64 scalar, weighted), gradients of gram,
/// mean
class WassersteinLoss final : public Op {
 public:
  enum Input { gram, mean, target_mean, root, numbers };
  enum Output { loss, gram_gradient, mean_gradient };
  WassersteinLoss(DistributionOptions options, std::int64_t channels)
      : options_(options), channels_(channels) {}
  const DistributionOptions& options() const { return options_; }
  std::int64_t channels() const { return channels_; }
  std::string_view kind() const override { return "WassersteinLoss"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  void gradient(GradientBuilder& builder) const override;

 private:
  DistributionOptions options_;
  std::int64_t channels_;
};

/// Mean, mean square, the target's mean, mean square -> loss (f64 scalar, weighted), gradients of the first
/// two
class MeanVarianceLoss final : public Op {
 public:
  enum Input { mean, mean_square, target_mean, target_square };
  enum Output { loss, mean_gradient, square_gradient };
  explicit MeanVarianceLoss(DistributionOptions options) : options_(options) {}
  const DistributionOptions& options() const { return options_; }
  std::string_view kind() const override { return "MeanVarianceLoss"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  void gradient(GradientBuilder& builder) const override;

 private:
  DistributionOptions options_;
};

}  // namespace gramflow
