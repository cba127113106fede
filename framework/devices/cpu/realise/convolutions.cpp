// Convolutions with what is fused to them.
#include "framework/ops/convolution.h"

#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/packed_filters.h"
#include "framework/devices/cpu/realise/realisations.h"

namespace gramflow::cpu {
namespace {

using Forward = gramflow::Convolution;
using Backward = gramflow::ConvolutionBackward;

std::size_t scratch(const FilterSource& filter, ConvolutionMethod method, Shape input) {
  return convolution_scratch(filter_of(filter.shape()), method, input);
}

std::unique_ptr<Kernel> prepare(const Forward& op, const Bindings& memory, const PackedFilters& filters) {
  std::shared_ptr<const Convolution> convolution =
      make_convolution(filters.packed(*op.filter()), memory.inputs[0].shape());
  ConvolutionOutputs outputs;
  outputs.output = memory.outputs[Forward::y].f32();
  outputs.relu = op.relu();
  if (op.relu()) outputs.mask = memory.outputs[Forward::mask].u8();
  if (op.pool()) {
    outputs.pooled = memory.outputs[Forward::pooled].f32();
    outputs.index = memory.outputs[Forward::index].u8();
  }
  return make_kernel([convolution, input = memory.inputs[0].f32(), outputs, scratch = memory.scratch] {
    convolution->forward(input, outputs, scratch);
  });
}

std::unique_ptr<Kernel> prepare(const Backward& op, const Bindings& memory, const PackedFilters& filters) {
  std::shared_ptr<const Convolution> convolution =
      make_convolution(filters.packed(*op.filter()), op.input_shape());
  ConvolutionGradient gradient;
  if (memory.inputs[Backward::index]) {
    gradient.pooled_gradient = memory.inputs[Backward::gradient_of_output].f32();
    gradient.index = memory.inputs[Backward::index].u8();
  } else {
    gradient.gradient = memory.inputs[Backward::gradient_of_output].f32();
  }
  gradient.mask = memory.inputs[Backward::mask].u8();
  gradient.accumulate = static_cast<bool>(memory.inputs[Backward::accumulator_input]);
  gradient.result = memory.outputs[0].f32();
  return make_kernel(
      [convolution, gradient, scratch = memory.scratch] { convolution->backward(gradient, scratch); });
}

}  // namespace

void add_convolutions(Realisations& realisations, PackedFilters& filters) {
  realisations.add<Forward>({[&filters](const Op& op, const Bindings& memory) {
                               return prepare(static_cast<const Forward&>(op), memory, filters);
                             },
                             [&filters](const Op& op, Inputs inputs) {
                               return scratch(*op.filter(), filters.method(), inputs[0].shape);
                             },
                             {}});
  realisations.add<Backward>({[&filters](const Op& op, const Bindings& memory) {
                                return prepare(static_cast<const Backward&>(op), memory, filters);
                              },
                              [&filters](const Op& op, Inputs) {
                                return scratch(*op.filter(), filters.method(),
                                               static_cast<const Backward&>(op).input_shape());
                              },
                              {}});
}

}  // namespace gramflow::cpu
