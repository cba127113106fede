// What features are summed up to.
#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/realise/realisations.h"
#include "framework/devices/cpu/style_kernels.h"
#include "framework/ops/channel_moments.h"
#include "framework/ops/gram.h"

namespace gramflow::cpu {
namespace {

std::size_t scratch(const Gram&, Inputs inputs) { return gram_scratch(inputs[0].shape); }

std::unique_ptr<Kernel> prepare(const Gram&, const Bindings& memory) {
  return make_kernel([features = memory.inputs[0], gram = memory.outputs[0], scratch = memory.scratch] {
    cpu::gram(features, gram, scratch);
  });
}

std::size_t scratch(const GramBackward&, Inputs inputs) {
  return gram_backward_scratch(inputs[GramBackward::features].shape);
}

std::unique_ptr<Kernel> prepare(const GramBackward&, const Bindings& memory) {
  return make_kernel(
      [from = memory.inputs[GramBackward::features], gradient = memory.inputs[GramBackward::gradient_of_gram],
       result = memory.outputs[0],
       accumulate = static_cast<bool>(memory.inputs[GramBackward::accumulator_input]),
       scratch = memory.scratch] { gram_backward(from, gradient, result, accumulate, scratch); });
}

std::size_t scratch(const ChannelMoments&, Inputs inputs) { return channel_moments_scratch(inputs[0].shape); }

std::unique_ptr<Kernel> prepare(const ChannelMoments&, const Bindings& memory) {
  return make_kernel([features = memory.inputs[0], to_mean = memory.outputs[ChannelMoments::mean].f64(),
                      to_square = memory.outputs[ChannelMoments::mean_square].f64(),
                      scratch = memory.scratch] { channel_moments(features, to_mean, to_square, scratch); });
}

std::unique_ptr<Kernel> prepare(const ChannelMomentsBackward&, const Bindings& memory) {
  return make_kernel(
      [from = memory.inputs[ChannelMomentsBackward::features],
       of_mean = memory.inputs[ChannelMomentsBackward::mean_gradient].f64(),
       of_square = memory.inputs[ChannelMomentsBackward::square_gradient].f64(), result = memory.outputs[0],
       accumulate = static_cast<bool>(memory.inputs[ChannelMomentsBackward::accumulator_input])] {
        channel_moments_backward(from, of_mean, of_square, result, accumulate);
      });
}

}  // namespace

void add_features(Realisations& realisations) {
  realisations.add<Gram>(prepare, scratch);
  realisations.add<GramBackward>(prepare, scratch);
  realisations.add<ChannelMoments>(prepare, scratch);
  realisations.add<ChannelMomentsBackward>(prepare);
}

}  // namespace gramflow::cpu
