#pragma once
// Sign masks: one bit a channel, every pixel on its own bytes (ElementType::bits).
#include <cstdint>

namespace gramflow::cpu {

inline std::int64_t mask_bytes(std::int64_t channels) { return (channels + 7) / 8; }

inline bool mask_bit(const std::uint8_t* mask, std::int64_t channel) {
  return ((mask[channel / 8] >> (channel % 8)) & 1) != 0;
}

/// Bits of one pixel: value > 0. Unused bits of the last byte are 0.
inline void write_mask(const float* values, std::int64_t channels, std::uint8_t* mask) {
  for (std::int64_t begin = 0; begin < channels; begin += 8) {
    unsigned bits = 0;
    const std::int64_t count = channels - begin < 8 ? channels - begin : 8;
    for (std::int64_t c = 0; c < count; ++c) bits |= (values[begin + c] > 0 ? 1u : 0u) << c;
    mask[begin / 8] = static_cast<std::uint8_t>(bits);
  }
}

}  // namespace gramflow::cpu
