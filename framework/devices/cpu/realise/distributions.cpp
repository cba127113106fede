// Losses between distributions of features.
#include "framework/devices/cpu/neighbors.h"
#include "framework/devices/cpu/realise/realisations.h"
#include "framework/devices/cpu/wasserstein.h"
#include "framework/ops/neighbor_loss.h"
#include "framework/ops/wasserstein.h"

namespace gramflow::cpu {
namespace {

double positive_or_one(double value) { return value > 0 ? value : 1.0; }

std::size_t scratch(const CovarianceRoot& op, Inputs) { return wasserstein_scratch(op.channels()); }

std::size_t heap(const CovarianceRoot& op) { return wasserstein_heap(op.channels()); }

std::unique_ptr<Kernel> prepare(const CovarianceRoot& op, const Bindings& memory) {
  return make_kernel([of_gram = memory.inputs[CovarianceRoot::gram].f32(),
                      of_mean = memory.inputs[CovarianceRoot::mean].f64(),
                      to = memory.outputs[CovarianceRoot::root].f64(),
                      kept = memory.outputs[CovarianceRoot::numbers].f64(), options = op.options(),
                      channels = op.channels(), scratch = memory.scratch] {
    const auto count = static_cast<double>(channels);
    const double trace = covariance_trace(of_gram, of_mean, channels);
    const double ridge = options.epsilon * (options.epsilon_relative ? trace / count : 1.0);
    double mean_square = 0;
    for (std::int64_t c = 0; c < channels; ++c)
      mean_square += static_cast<double>(of_gram[c * channels + c]);  // the gram is divided by C already
    covariance_root(of_gram, of_mean, channels, ridge, to, scratch);
    kept[0] = ridge;
    kept[1] = trace + count * ridge;
    kept[2] = positive_or_one(mean_square);
  });
}

std::size_t scratch(const WassersteinLoss& op, Inputs) { return wasserstein_scratch(op.channels()); }

std::size_t heap(const WassersteinLoss& op) { return wasserstein_heap(op.channels()); }

std::unique_ptr<Kernel> prepare(const WassersteinLoss& op, const Bindings& memory) {
  return make_kernel([of_gram = memory.inputs[WassersteinLoss::gram].f32(),
                      of_mean = memory.inputs[WassersteinLoss::mean].f64(),
                      to_mean = memory.inputs[WassersteinLoss::target_mean].f64(),
                      to_root = memory.inputs[WassersteinLoss::root].f64(),
                      kept = memory.inputs[WassersteinLoss::numbers].f64(),
                      result = memory.outputs[WassersteinLoss::loss].f64(),
                      gram_slope = memory.outputs[WassersteinLoss::gram_gradient].f32(),
                      mean_slope = memory.outputs[WassersteinLoss::mean_gradient].f64(),
                      options = op.options(), channels = op.channels(), scratch = memory.scratch] {
    const NormalTarget target{to_mean, to_root, kept[0], kept[1]};
    const double weight = options.relative ? options.weight / kept[2] : options.weight;
    *result = wasserstein(of_gram, of_mean, target, channels, weight, gram_slope, mean_slope, scratch);
  });
}

std::unique_ptr<Kernel> prepare(const MeanVarianceLoss& op, const Bindings& memory) {
  return make_kernel([of_mean = memory.inputs[MeanVarianceLoss::mean].f64(),
                      of_square = memory.inputs[MeanVarianceLoss::mean_square].f64(),
                      to_mean = memory.inputs[MeanVarianceLoss::target_mean].f64(),
                      to_square = memory.inputs[MeanVarianceLoss::target_square].f64(),
                      result = memory.outputs[MeanVarianceLoss::loss].f64(),
                      mean_slope = memory.outputs[MeanVarianceLoss::mean_gradient].f64(),
                      square_slope = memory.outputs[MeanVarianceLoss::square_gradient].f64(),
                      options = op.options(),
                      channels = memory.inputs[MeanVarianceLoss::mean].shape().channels] {
    double variance = 0, square = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
      variance += to_square[c] - to_mean[c] * to_mean[c];
      square += to_square[c];
    }
    const auto count = static_cast<double>(channels);
    const double ridge = options.epsilon * (options.epsilon_relative ? variance / count : 1.0);
    const double weight =
        options.relative ? options.weight / positive_or_one(square / count) : options.weight;
    *result = mean_variance(of_mean, of_square, to_mean, to_square, channels, ridge, weight, mean_slope,
                            square_slope);
  });
}

std::size_t scratch(const NeighborLoss& op, Inputs inputs) {
  return neighbor_scratch(neighbor_sizes(inputs, op.sampling().grid));
}

std::unique_ptr<Kernel> prepare(const NeighborLoss& op, const Bindings& memory) {
  std::vector<TensorDesc> descs;
  std::vector<SampledMap> maps;
  for (const TensorView& input : memory.inputs) {
    descs.push_back(input.desc);
    maps.push_back({input, {}});
  }
  return make_kernel(
      [weight = op.weight(), sampling = op.sampling(), sizes = neighbor_sizes(descs, op.sampling().grid),
       maps, result = memory.outputs[NeighborLoss::loss].f64(),
       rows = memory.outputs[NeighborLoss::gradient_rows].f32(), scratch = memory.scratch]() mutable {
        for (std::size_t i = 0; i < maps.size(); ++i)
          maps[i].lattice = sampling.lattice(maps[i].map.shape(), i);
        *result = neighbor_loss(maps[0], std::span(maps).subspan(1), sizes, weight, rows, scratch);
      });
}

std::unique_ptr<Kernel> prepare(const NeighborLossBackward& op, const Bindings& memory) {
  return make_kernel(
      [sampling = op.sampling(), rows = memory.inputs[NeighborLossBackward::gradient_rows].f32(),
       result = memory.outputs[0],
       accumulate = static_cast<bool>(memory.inputs[NeighborLossBackward::accumulator_input])] {
        scatter_rows(rows, sampling.lattice(result.shape(), 0), result, accumulate);
      });
}

}  // namespace

void add_distributions(Realisations& realisations) {
  realisations.add<CovarianceRoot>(prepare, scratch, heap);
  realisations.add<WassersteinLoss>(prepare, scratch, heap);
  realisations.add<MeanVarianceLoss>(prepare);
  realisations.add<NeighborLoss>(prepare, scratch);
  realisations.add<NeighborLossBackward>(prepare);
}

}  // namespace gramflow::cpu
