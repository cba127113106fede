#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "nodes/weights/half.h"

using namespace gramflow;

namespace {

/// The definition, in double.
double value_of(unsigned half) {
  const int exponent = static_cast<int>((half >> 10) & 31U);
  const double mantissa = half & 1023U;
  const double sign = (half & 0x8000U) != 0 ? -1 : 1;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

}  // namespace

TEST_CASE("every finite half has exactly its value, and comes back") {
  for (unsigned half = 0; half < 0x10000; ++half) {
    if (((half >> 10) & 31U) == 31) continue;
    const float value = float_from_half(static_cast<std::uint16_t>(half));
    REQUIRE(static_cast<double>(value) == value_of(half));
    REQUIRE(std::signbit(value) == (half >= 0x8000));
    REQUIRE(half_from_float(value) == half);
  }
}

TEST_CASE("infinities and NaNs stay what they are") {
  CHECK(float_from_half(0x7C00) == INFINITY);
  CHECK(float_from_half(0xFC00) == -INFINITY);
  CHECK(std::isnan(float_from_half(0x7C01)));
  CHECK(half_from_float(INFINITY) == 0x7C00);
  CHECK(std::isnan(float_from_half(half_from_float(NAN))));
}

TEST_CASE("between two halves the nearer is taken, the even one in the middle") {
  for (unsigned half = 0; half < 0x7BFF; ++half) {
    const double low = value_of(half);
    const double high = value_of(half + 1);
    const auto middle = static_cast<float>((low + high) / 2);  // exact: one bit more than a half
    REQUIRE(half_from_float(middle) == (half % 2 == 0 ? half : half + 1));
    REQUIRE(half_from_float(std::nextafter(middle, 0.0F)) == half);
    REQUIRE(half_from_float(std::nextafter(middle, 1e6F)) == half + 1);
  }
}

TEST_CASE("what is too large becomes infinite, what is too small zero") {
  CHECK(half_from_float(65519.996F) == 0x7BFF);
  CHECK(half_from_float(65520) == 0x7C00);
  CHECK(half_from_float(-1e30F) == 0xFC00);
  CHECK(half_from_float(std::ldexp(1.0F, -25)) == 0);
  CHECK(half_from_float(-1e-30F) == 0x8000);
}
