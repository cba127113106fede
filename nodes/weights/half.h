#pragma once
// The two short floating-point formats of weight files.
#include <cstdint>

namespace gramflow {

/// IEEE half precision: exact one way, rounded to nearest even the other (too large becomes infinite).
float float_from_half(std::uint16_t half);
std::uint16_t half_from_float(float value);

/// bfloat16, the upper half of a float: exact.
float float_from_bfloat(std::uint16_t bits);

}  // namespace gramflow
