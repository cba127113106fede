#include "framework/ops/wasserstein.h"

#include <fmt/format.h>

#include "framework/devices/cpu/wasserstein.h"
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

double positive_or_one(double value) { return value > 0 ? value : 1.0; }

}  // namespace

std::vector<TensorDesc> CovarianceRoot::infer(std::span<const TensorDesc>) const {
  return {{Shape{channels_, channels_, 1}, ElementType::f64}, {Shape{1, 1, 3}, ElementType::f64}};
}

std::size_t CovarianceRoot::scratch_bytes(std::span<const TensorDesc>) const {
  return cpu::wasserstein_scratch(channels_);
}

std::size_t CovarianceRoot::transient_bytes() const { return cpu::wasserstein_heap(channels_); }

std::unique_ptr<Kernel> CovarianceRoot::prepare(const Bindings& memory) const {
  return make_kernel([of_gram = memory.inputs[gram].f32(), of_mean = memory.inputs[mean].f64(),
                      to = memory.outputs[root].f64(), kept = memory.outputs[numbers].f64(),
                      options = options_, channels = channels_, scratch = memory.scratch] {
    const auto count = static_cast<double>(channels);
    const double trace = cpu::covariance_trace(of_gram, of_mean, channels);
    const double ridge = options.epsilon * (options.epsilon_relative ? trace / count : 1.0);
    double mean_square = 0;
    for (std::int64_t c = 0; c < channels; ++c)
      mean_square += static_cast<double>(of_gram[c * channels + c]);  // the gram is divided by C already
    cpu::covariance_root(of_gram, of_mean, channels, ridge, to, scratch);
    kept[0] = ridge;
    kept[1] = trace + count * ridge;
    kept[2] = positive_or_one(mean_square);
  });
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

std::size_t WassersteinLoss::scratch_bytes(std::span<const TensorDesc>) const {
  return cpu::wasserstein_scratch(channels_);
}

std::size_t WassersteinLoss::transient_bytes() const { return cpu::wasserstein_heap(channels_); }

void WassersteinLoss::gradient(GradientBuilder& builder) const {
  contribute_saved(builder, gram, gram_gradient);
  contribute_saved(builder, mean, mean_gradient);
}

std::unique_ptr<Kernel> WassersteinLoss::prepare(const Bindings& memory) const {
  return make_kernel([of_gram = memory.inputs[gram].f32(), of_mean = memory.inputs[mean].f64(),
                      to_mean = memory.inputs[target_mean].f64(), to_root = memory.inputs[root].f64(),
                      kept = memory.inputs[numbers].f64(), result = memory.outputs[loss].f64(),
                      gram_slope = memory.outputs[gram_gradient].f32(),
                      mean_slope = memory.outputs[mean_gradient].f64(), options = options_,
                      channels = channels_, scratch = memory.scratch] {
    const cpu::NormalTarget target{to_mean, to_root, kept[0], kept[1]};
    const double weight = options.relative ? options.weight / kept[2] : options.weight;
    *result = cpu::wasserstein(of_gram, of_mean, target, channels, weight, gram_slope, mean_slope, scratch);
  });
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

std::unique_ptr<Kernel> MeanVarianceLoss::prepare(const Bindings& memory) const {
  return make_kernel([of_mean = memory.inputs[mean].f64(), of_square = memory.inputs[mean_square].f64(),
                      to_mean = memory.inputs[target_mean].f64(),
                      to_square = memory.inputs[target_square].f64(), result = memory.outputs[loss].f64(),
                      mean_slope = memory.outputs[mean_gradient].f64(),
                      square_slope = memory.outputs[square_gradient].f64(), options = options_,
                      channels = memory.inputs[mean].shape().channels] {
    double variance = 0, square = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
      variance += to_square[c] - to_mean[c] * to_mean[c];
      square += to_square[c];
    }
    const auto count = static_cast<double>(channels);
    const double ridge = options.epsilon * (options.epsilon_relative ? variance / count : 1.0);
    const double weight =
        options.relative ? options.weight / positive_or_one(square / count) : options.weight;
    *result = cpu::mean_variance(of_mean, of_square, to_mean, to_square, channels, ridge, weight, mean_slope,
                                 square_slope);
  });
}

}  // namespace gramflow
