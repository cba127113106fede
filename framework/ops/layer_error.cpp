#include "framework/ops/layer_error.h"

#include <fmt/format.h>

#include <cmath>

#include "framework/devices/cpu/style_kernels.h"

namespace gramflow {
namespace {

constexpr double least_denominator = 1e-8;
constexpr TensorDesc number{Shape{1, 1, 1}, ElementType::f64};

}  // namespace

std::string LayerError::attributes() const {
  return fmt::format("weight {}{}", weight_, normalization_ == ErrorNormalization::scaled ? ", scaled" : "");
}

std::vector<TensorDesc> LayerError::infer(std::span<const TensorDesc> inputs) const {
  if (inputs[a].shape != inputs[b].shape)
    throw ShapeError(fmt::format("it compares {} with {}; both must have the same size",
                                 inputs[a].shape.to_string(), inputs[b].shape.to_string()));
  return {number, {Shape{1, 1, 2}, ElementType::f64}};
}

std::size_t LayerError::scratch_bytes(std::span<const TensorDesc> inputs) const {
  return cpu::difference_sums_scratch(inputs[a].shape);
}

void LayerError::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(a)) return;
  builder.contribute(a, std::make_shared<LayerErrorBackward>(),
                     {builder.input(a), builder.input(b), builder.output(coefficients), no_tensor},
                     GradientBuilder::Route::side);
}

std::unique_ptr<Kernel> LayerError::prepare(const Bindings& memory) const {
  return make_kernel([left = memory.inputs[a], right = memory.inputs[b], unit = memory.inputs[unit].f64(),
                      loss = memory.outputs[loss].f64(), slopes = memory.outputs[coefficients].f64(),
                      scaled = normalization_ == ErrorNormalization::scaled, weight = weight_,
                      factor = factor_, scratch = memory.scratch] {
    const cpu::DifferenceSums sums = cpu::difference_sums(left, right, scratch);
    const double k = unit != nullptr ? factor / *unit : factor;
    const auto elements = static_cast<double>(left.shape().elements());
    // d = k (a - b): the loss is scale * sum (a - b)^2, its slope linear (a - b) + constant sign(a - b).
    const double divisor = scaled ? k * sums.magnitudes + least_denominator : elements;
    const double scale = weight * k * k / divisor;
    *loss = scale * sums.squares;
    if (slopes == nullptr) return;
    slopes[0] = 2 * scale;
    slopes[1] = scaled ? -scale * sums.squares * k / divisor : 0.0;
  });
}

std::unique_ptr<Kernel> LayerErrorBackward::prepare(const Bindings& memory) const {
  return make_kernel([left = memory.inputs[a], right = memory.inputs[b],
                      slopes = memory.inputs[coefficients].f64(), result = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[accumulator_input])] {
    cpu::difference_gradient(left, right, slopes[0], slopes[1], result, accumulate);
  });
}

std::vector<TensorDesc> RelativeUnit::infer(std::span<const TensorDesc>) const { return {number}; }

std::size_t RelativeUnit::scratch_bytes(std::span<const TensorDesc> inputs) const {
  const auto channels = static_cast<std::size_t>(inputs[0].shape.channels);
  return cpu::channel_moments_scratch(inputs[0].shape) + 2 * channels * sizeof(double);
}

std::unique_ptr<Kernel> RelativeUnit::prepare(const Bindings& memory) const {
  return make_kernel([target = memory.inputs[0], unit = memory.outputs[0].f64(), of = of_, factor = factor_,
                      scratch = memory.scratch] {
    const std::int64_t channels = target.shape().channels;
    auto* mean = static_cast<double*>(scratch);
    double* square = mean + channels;
    cpu::channel_moments(target, mean, square, square + channels);
    double sum = 0;
    for (std::int64_t c = 0; c < channels; ++c)
      sum += of == Of::size ? square[c] : std::max(0.0, square[c] - mean[c] * mean[c]);
    const double size = factor * std::sqrt(sum / static_cast<double>(channels));
    *unit = size > 0 ? size : 1.0;  // a target of nothing has no units of its own
  });
}

}  // namespace gramflow
