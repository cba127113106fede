#include "framework/ops/saved_gradient.h"

namespace gramflow {
namespace {

template <class T>
void bring(const T* from, T* to, std::int64_t count, bool accumulate) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = accumulate ? to[i] + from[i] : from[i];
}

}  // namespace

std::unique_ptr<Kernel> SavedGradient::prepare(const Bindings& memory) const {
  return make_kernel([from = memory.inputs[gradient_input], to = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[accumulator_input])] {
    const std::int64_t count = to.shape().elements();
    if (to.desc.type == ElementType::f64)
      bring(from.f64(), to.f64(), count, accumulate);
    else
      bring(from.f32(), to.f32(), count, accumulate);
  });
}

}  // namespace gramflow
