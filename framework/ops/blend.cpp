#include "framework/ops/blend.h"

#include <fmt/format.h>

namespace gramflow {
std::string Blend::attributes() const { return fmt::format("{}", fmt::join(shares_, " + ")); }

std::vector<TensorDesc> Blend::infer(std::span<const TensorDesc> inputs) const {
  for (const TensorDesc& input : inputs)
    if (input != inputs[0])
      throw ShapeError(fmt::format("it blends {} with {}; all must come from the same network",
                                   inputs[0].shape.to_string(), input.shape.to_string()));
  return {inputs[0]};
}

}  // namespace gramflow
