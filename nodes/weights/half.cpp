#include "nodes/weights/half.h"

#include <half.h>

#include <bit>

namespace gramflow {

float float_from_half(std::uint16_t bits) { return imath_half_to_float(bits); }

std::uint16_t half_from_float(float value) { return imath_float_to_half(value); }

float float_from_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace gramflow
