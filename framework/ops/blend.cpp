#include "framework/ops/blend.h"

#include <fmt/format.h>

namespace gramflow {
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

}  // namespace

std::string Blend::attributes() const { return fmt::format("{}", fmt::join(shares_, " + ")); }

std::vector<TensorDesc> Blend::infer(std::span<const TensorDesc> inputs) const {
  for (const TensorDesc& input : inputs)
    if (input != inputs[0])
      throw ShapeError(fmt::format("it blends {} with {}; all must come from the same network",
                                   inputs[0].shape.to_string(), input.shape.to_string()));
  return {inputs[0]};
}

std::unique_ptr<Kernel> Blend::prepare(const Bindings& memory) const {
  if (memory.outputs[0].desc.type == ElementType::f64) return blend_kernel<double>(memory, shares_);
  return blend_kernel<float>(memory, shares_);
}

}  // namespace gramflow
