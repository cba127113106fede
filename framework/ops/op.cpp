#include "framework/ops/op.h"

namespace gramflow {

Cost Op::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  Cost cost;
  for (const TensorDesc& desc : inputs) cost.bytes += static_cast<double>(desc.bytes());
  for (const TensorDesc& desc : outputs) cost.bytes += static_cast<double>(desc.bytes());
  return cost;
}

void Op::gradient(GradientBuilder&) const {
  throw std::logic_error(std::string(kind()) + " has no gradient");
}

}  // namespace gramflow
