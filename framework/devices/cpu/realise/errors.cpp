// Losses that compare or measure element by element.
#include <algorithm>
#include <cmath>

#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/realise/realisations.h"
#include "framework/devices/cpu/style_kernels.h"
#include "framework/devices/cpu/variation.h"
#include "framework/ops/layer_error.h"
#include "framework/ops/squared_error.h"
#include "framework/ops/total_variation.h"
#include "framework/ops/variation.h"

namespace gramflow::cpu {
namespace {

std::size_t scratch(const SquaredError&, Inputs inputs) { return squared_error_scratch(inputs[0].shape); }

std::unique_ptr<Kernel> prepare(const SquaredError& op, const Bindings& memory) {
  return make_kernel([a = memory.inputs[0], b = memory.inputs[1], loss = memory.outputs[0].f64(),
                      weight = op.weight(),
                      scratch = memory.scratch] { *loss = squared_error(a, b, weight, scratch); });
}

std::unique_ptr<Kernel> prepare(const SquaredErrorBackward& op, const Bindings& memory) {
  return make_kernel(
      [left = memory.inputs[SquaredErrorBackward::a], right = memory.inputs[SquaredErrorBackward::b],
       result = memory.outputs[0], weight = op.weight(),
       accumulate = static_cast<bool>(memory.inputs[SquaredErrorBackward::accumulator_input])] {
        squared_error_backward(left, right, weight, result, accumulate);
      });
}

std::size_t scratch(const LayerError&, Inputs inputs) {
  return difference_sums_scratch(inputs[LayerError::a].shape);
}

std::unique_ptr<Kernel> prepare(const LayerError& op, const Bindings& memory) {
  return make_kernel([left = memory.inputs[LayerError::a], right = memory.inputs[LayerError::b],
                      unit = memory.inputs[LayerError::unit].f64(),
                      loss = memory.outputs[LayerError::loss].f64(),
                      slopes = memory.outputs[LayerError::coefficients].f64(),
                      scaled = op.normalization() == ErrorNormalization::scaled, weight = op.weight(),
                      factor = op.factor(), scratch = memory.scratch] {
    const DifferenceSums sums = difference_sums(left, right, scratch);
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

std::unique_ptr<Kernel> prepare(const LayerErrorBackward&, const Bindings& memory) {
  return make_kernel(
      [left = memory.inputs[LayerErrorBackward::a], right = memory.inputs[LayerErrorBackward::b],
       slopes = memory.inputs[LayerErrorBackward::coefficients].f64(), result = memory.outputs[0],
       accumulate = static_cast<bool>(memory.inputs[LayerErrorBackward::accumulator_input])] {
        difference_gradient(left, right, slopes[0], slopes[1], result, accumulate);
      });
}

std::size_t scratch(const RelativeUnit&, Inputs inputs) {
  const auto channels = static_cast<std::size_t>(inputs[0].shape.channels);
  return channel_moments_scratch(inputs[0].shape) + 2 * channels * sizeof(double);
}

std::unique_ptr<Kernel> prepare(const RelativeUnit& op, const Bindings& memory) {
  return make_kernel([target = memory.inputs[0], unit = memory.outputs[0].f64(), of = op.of(),
                      factor = op.factor(), scratch = memory.scratch] {
    const std::int64_t channels = target.shape().channels;
    auto* mean = static_cast<double*>(scratch);
    double* square = mean + channels;
    channel_moments(target, mean, square, square + channels);
    double sum = 0;
    for (std::int64_t c = 0; c < channels; ++c)
      sum += of == RelativeUnit::Of::size ? square[c] : std::max(0.0, square[c] - mean[c] * mean[c]);
    const double size = factor * std::sqrt(sum / static_cast<double>(channels));
    *unit = size > 0 ? size : 1.0;  // a target of nothing has no units of its own
  });
}

std::size_t scratch(const TotalVariation&, Inputs inputs) { return total_variation_scratch(inputs[0].shape); }

std::unique_ptr<Kernel> prepare(const TotalVariation& op, const Bindings& memory) {
  return make_kernel([a = memory.inputs[0], loss = memory.outputs[0].f64(), weight = op.weight(),
                      scratch = memory.scratch] { *loss = total_variation(a, weight, scratch); });
}

std::unique_ptr<Kernel> prepare(const TotalVariationBackward& op, const Bindings& memory) {
  return make_kernel(
      [from = memory.inputs[TotalVariationBackward::a], result = memory.outputs[0], weight = op.weight(),
       accumulate = static_cast<bool>(memory.inputs[TotalVariationBackward::accumulator_input])] {
        total_variation_backward(from, weight, result, accumulate);
      });
}

std::size_t scratch(const Variation&, Inputs inputs) { return variation_scratch(inputs[0].shape); }

std::unique_ptr<Kernel> prepare(const Variation& op, const Bindings& memory) {
  return make_kernel([picture = memory.inputs[0], loss = memory.outputs[0].f64(), kind = op.variation(),
                      weight = op.weight(), scales = op.scales(), scratch = memory.scratch] {
    *loss = variation(kind, picture, weight, scales.data(), scratch);
  });
}

std::unique_ptr<Kernel> prepare(const VariationBackward& op, const Bindings& memory) {
  return make_kernel([from = memory.inputs[VariationBackward::picture], result = memory.outputs[0],
                      kind = op.variation(), weight = op.weight(), scales = op.scales(),
                      accumulate = static_cast<bool>(memory.inputs[VariationBackward::accumulator_input])] {
    variation_backward(kind, from, weight, scales.data(), result, accumulate);
  });
}

}  // namespace

void add_errors(Realisations& realisations) {
  realisations.add<SquaredError>(prepare, scratch);
  realisations.add<SquaredErrorBackward>(prepare);
  realisations.add<LayerError>(prepare, scratch);
  realisations.add<LayerErrorBackward>(prepare);
  realisations.add<RelativeUnit>(prepare, scratch);
  realisations.add<TotalVariation>(prepare, scratch);
  realisations.add<TotalVariationBackward>(prepare);
  realisations.add<Variation>(prepare, scratch);
  realisations.add<VariationBackward>(prepare);
}

}  // namespace gramflow::cpu
