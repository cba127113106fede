#include "framework/tensor/tensor.h"

#include <fmt/format.h>

namespace gramflow {

std::string Shape::to_string() const { return fmt::format("{} channels, {}x{}", channels, width, height); }

std::size_t TensorDesc::bytes() const {
  const auto pixels = static_cast<std::size_t>(shape.pixels());
  const auto channels = static_cast<std::size_t>(shape.channels);
  switch (type) {
    case ElementType::f32:
      return pixels * channels * sizeof(float);
    case ElementType::f64:
      return pixels * channels * sizeof(double);
    case ElementType::u8:
      return pixels * channels;
    case ElementType::bits:
      return pixels * ((channels + 7) / 8);
  }
  return 0;
}

}  // namespace gramflow
