#pragma once
// Samples of any number of bits, as TIFF packs them, made floats.
#include <bit>
#include <cstring>

#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

enum class SampleKind { whole, half, single, twice };  ///< unsigned numbers, and floats of 16, 32 and 64 bits

inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 31U;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {  // zero and subnormal: fraction / 2^24
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

/// Calls `take(i, value)` with `count` samples of a row. Samples of 8, 16, 24, 32 and 64 bits stand in the
/// machine's byte order, others are packed from the highest bit on. `row` holds them all.
template <class Take>
void unpack_row(const unsigned char* row, std::size_t count, int bits, const Take& take) {
  if (bits == 8) {
    for (std::size_t i = 0; i < count; ++i) take(i, std::uint64_t{row[i]});
  } else if (bits % 8 == 0) {
    const auto bytes = static_cast<std::size_t>(bits / 8);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t value = 0;
      static_assert(std::endian::native == std::endian::little);
      std::memcpy(&value, row + i * bytes, bytes);
      take(i, value);
    }
  } else {
    std::size_t at = 0;  // in bits
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t value = 0;
      for (int bit = 0; bit < bits; ++bit, ++at) value = value << 1 | ((row[at / 8] >> (7 - at % 8)) & 1U);
      take(i, value);
    }
  }
}

/// A sample as a float: whole numbers become [0, 1].
inline float sample_value(std::uint64_t value, int bits, SampleKind kind) {
  switch (kind) {
    case SampleKind::half:
      return half_to_float(static_cast<std::uint16_t>(value));
    case SampleKind::single:
      return std::bit_cast<float>(static_cast<std::uint32_t>(value));
    case SampleKind::twice:
      return static_cast<float>(std::bit_cast<double>(value));
    case SampleKind::whole:
      break;
  }
  if (bits == 8) return unit8(static_cast<unsigned>(value));
  if (bits == 16) return unit16(static_cast<unsigned>(value));
  return static_cast<float>(static_cast<double>(value) / static_cast<double>((std::uint64_t{1} << bits) - 1));
}

}  // namespace gramflow::decode
