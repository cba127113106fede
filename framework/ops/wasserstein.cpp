#include "framework/ops/wasserstein.h"

#include <fmt/format.h>

#include "framework/ops/saved_gradient.h"

namespace gramflow {
namespace {

constexpr TensorDesc number{Shape{1, 1, 1}, ElementType::f64};

void require_channels(std::int64_t own, std::int64_t target) {
  if (own != target)
    throw ShapeError(
        fmt::format("it compares {} channels with {}; both must come from the same network", own, target));
}

void contribute_saved(GradientBuilder& builder, int input, int output) {
  if (builder.wanted(input))
    builder.contribute(input, std::make_shared<SavedGradient>(), {builder.output(output), no_tensor},
                       GradientBuilder::Route::side);
}

}  // namespace

std::vector<TensorDesc> CovarianceRoot::infer(std::span<const TensorDesc>) const {
  return {{Shape{channels_, channels_, 1}, ElementType::f64}, {Shape{1, 1, 3}, ElementType::f64}};
}

std::string WassersteinLoss::attributes() const { return fmt::format("weight {}", options_.weight); }

std::vector<TensorDesc> WassersteinLoss::infer(std::span<const TensorDesc> inputs) const {
  require_channels(inputs[mean].shape.channels, inputs[target_mean].shape.channels);
  return {number, inputs[gram], inputs[mean]};
}

Cost WassersteinLoss::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  Cost cost = Op::cost(inputs, outputs);
  const auto channels = static_cast<double>(channels_);
  cost.flops = 20 * channels * channels * channels;  // eigenvectors about 9 n^3, five products 2 n^3
  return cost;
}

void WassersteinLoss::gradient(GradientBuilder& builder) const {
  contribute_saved(builder, gram, gram_gradient);
  contribute_saved(builder, mean, mean_gradient);
}

std::string MeanVarianceLoss::attributes() const { return fmt::format("weight {}", options_.weight); }

std::vector<TensorDesc> MeanVarianceLoss::infer(std::span<const TensorDesc> inputs) const {
  require_channels(inputs[mean].shape.channels, inputs[target_mean].shape.channels);
  return {number, inputs[mean], inputs[mean_square]};
}

void MeanVarianceLoss::gradient(GradientBuilder& builder) const {
  contribute_saved(builder, mean, mean_gradient);
  contribute_saved(builder, mean_square, square_gradient);
}

}  // namespace gramflow
