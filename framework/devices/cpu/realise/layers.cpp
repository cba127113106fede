// Layers of networks beside convolutions.
#include "framework/devices/cpu/kernels.h"
#include "framework/devices/cpu/realise/realisations.h"
#include "framework/devices/cpu/scaled_pool.h"
#include "framework/ops/pool.h"
#include "framework/ops/relu.h"
#include "framework/ops/scaled_pool.h"

namespace gramflow::cpu {
namespace {

std::unique_ptr<Kernel> prepare(const Relu&, const Bindings& memory) {
  return make_kernel([input = memory.inputs[0], output = memory.outputs[Relu::y],
                      bits = memory.outputs[Relu::mask].u8()] { relu(input, output, bits); });
}

std::unique_ptr<Kernel> prepare(const ReluBackward&, const Bindings& memory) {
  return make_kernel([gradient = memory.inputs[ReluBackward::gradient_of_output],
                      bits = memory.inputs[ReluBackward::mask].u8(), result = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[ReluBackward::accumulator_input])] {
    relu_backward(gradient, bits, result, accumulate);
  });
}

std::unique_ptr<Kernel> prepare(const Pool& op, const Bindings& memory) {
  std::uint8_t* where = op.pool() == PoolKind::max ? memory.outputs[Pool::index].u8() : nullptr;
  return make_kernel([pool = op.pool(), input = memory.inputs[0], output = memory.outputs[Pool::y], where] {
    cpu::pool(pool, input, output, where);
  });
}

std::unique_ptr<Kernel> prepare(const PoolBackward& op, const Bindings& memory) {
  return make_kernel([pool = op.pool(), gradient = memory.inputs[PoolBackward::gradient_of_output],
                      where = memory.inputs[PoolBackward::index].u8(), result = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[PoolBackward::accumulator_input])] {
    cpu::pool_backward(pool, gradient, where, result, accumulate);
  });
}

std::unique_ptr<Kernel> prepare(const ScaledPool& op, const Bindings& memory) {
  return make_kernel([pooling = op.pooling(), scale = static_cast<float>(op.scale()),
                      input = memory.inputs[0],
                      output = memory.outputs[0]] { scaled_pool(pooling, scale, input, output); });
}

std::unique_ptr<Kernel> prepare(const ScaledPoolBackward& op, const Bindings& memory) {
  return make_kernel([pooling = op.pooling(), scale = static_cast<float>(op.scale()),
                      gradient = memory.inputs[ScaledPoolBackward::gradient_of_output],
                      input = memory.inputs[ScaledPoolBackward::forward_input], result = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[ScaledPoolBackward::accumulator_input])] {
    scaled_pool_backward(pooling, scale, gradient, input, result, accumulate);
  });
}

}  // namespace

void add_layers(Realisations& realisations) {
  realisations.add<Relu>(prepare);
  realisations.add<ReluBackward>(prepare);
  realisations.add<Pool>(prepare);
  realisations.add<PoolBackward>(prepare);
  realisations.add<ScaledPool>(prepare);
  realisations.add<ScaledPoolBackward>(prepare);
}

}  // namespace gramflow::cpu
