// What pictures and plain tensors go through, and what runs on the host anyway.
#include "framework/devices/cpu/channel_affine.h"
#include "framework/devices/cpu/realise/realisations.h"
#include "framework/ops/blend.h"
#include "framework/ops/channel_affine.h"
#include "framework/ops/host_function.h"
#include "framework/ops/saved_gradient.h"

namespace gramflow::cpu {
namespace {

template <class T>
void blend(const std::vector<const T*>& from, const std::vector<double>& shares, T* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < from.size(); ++k) sum += shares[k] * static_cast<double>(from[k][i]);
    to[i] = static_cast<T>(sum);
  }
}

template <class T>
std::unique_ptr<Kernel> blend_kernel(const Bindings& memory, const std::vector<double>& shares) {
  std::vector<const T*> from;
  for (const TensorView& input : memory.inputs) from.push_back(static_cast<const T*>(input.data));
  return make_kernel([from, shares, to = static_cast<T*>(memory.outputs[0].data),
                      count = memory.outputs[0].shape().elements()] { blend(from, shares, to, count); });
}

template <class T>
void bring(const T* from, T* to, std::int64_t count, bool accumulate) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = accumulate ? to[i] + from[i] : from[i];
}

std::unique_ptr<Kernel> prepare(const ChannelAffine& op, const Bindings& memory) {
  return make_kernel([from = memory.inputs[0], to = memory.outputs[0], map = op.map()] {
    channel_affine(map.source, map.factor, map.offset, from.floats(), to.floats(), false);
  });
}

std::unique_ptr<Kernel> prepare(const ChannelAffineBackward& op, const Bindings& memory) {
  return make_kernel(
      [from = memory.inputs[ChannelAffineBackward::gradient_of_output], to = memory.outputs[0],
       map = op.transposed(),
       accumulate = static_cast<bool>(memory.inputs[ChannelAffineBackward::accumulator_input])] {
        channel_affine(map.source, map.factor, map.offset, from.floats(), to.floats(), accumulate);
      });
}

std::unique_ptr<Kernel> prepare(const Blend& op, const Bindings& memory) {
  if (memory.outputs[0].desc.type == ElementType::f64) return blend_kernel<double>(memory, op.shares());
  return blend_kernel<float>(memory, op.shares());
}

std::unique_ptr<Kernel> prepare(const SavedGradient&, const Bindings& memory) {
  return make_kernel([from = memory.inputs[SavedGradient::gradient_input], to = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[SavedGradient::accumulator_input])] {
    const std::int64_t count = to.shape().elements();
    if (to.desc.type == ElementType::f64)
      bring(from.f64(), to.f64(), count, accumulate);
    else
      bring(from.f32(), to.f32(), count, accumulate);
  });
}

std::unique_ptr<Kernel> prepare(const HostFunction& op, const Bindings& memory) {
  return make_kernel([run = op.description().run,
                      inputs = std::vector<TensorView>(memory.inputs.begin(), memory.inputs.end()),
                      outputs = std::vector<TensorView>(memory.outputs.begin(), memory.outputs.end()),
                      scratch = memory.scratch] {
    run(Bindings{inputs, outputs, scratch});
  });
}

std::size_t scratch(const HostFunction& op, Inputs) { return op.description().scratch_bytes; }

std::size_t heap(const HostFunction& op) { return op.description().transient_bytes; }

}  // namespace

void add_pictures(Realisations& realisations) {
  realisations.add<ChannelAffine>(prepare);
  realisations.add<ChannelAffineBackward>(prepare);
  realisations.add<Blend>(prepare);
  realisations.add<SavedGradient>(prepare);
  realisations.add<HostFunction>(prepare, scratch, heap);
}

}  // namespace gramflow::cpu
