#pragma once
// Numbers out of bytes, never beyond their end: reading past it throws Damaged.
#include <cstdint>
#include <string>

#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes, bool big_endian = false) : bytes_(bytes), big_(big_endian) {}
  std::size_t size() const { return bytes_.size(); }
  bool has(std::uint64_t at, std::uint64_t count) const {
    return at <= bytes_.size() && count <= bytes_.size() - at;
  }
  Bytes part(std::uint64_t at, std::uint64_t count) const {
    if (!has(at, count)) throw Damaged("it ends early");
    return bytes_.subspan(at, count);
  }
  std::uint8_t u8(std::uint64_t at) const { return part(at, 1)[0]; }
  std::uint16_t u16(std::uint64_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
  std::uint32_t u32(std::uint64_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
  std::int32_t i32(std::uint64_t at) const { return static_cast<std::int32_t>(u32(at)); }
  std::uint64_t u64(std::uint64_t at) const { return number(at, 8); }
  /// Whether the text stands there.
  bool is(std::uint64_t at, std::string_view text) const {
    return has(at, text.size()) &&
           std::string_view(reinterpret_cast<const char*>(bytes_.data()) + at, text.size()) == text;
  }

 private:
  std::uint64_t number(std::uint64_t at, std::size_t count) const {
    const Bytes digits = part(at, count);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | digits[big_ ? i : count - 1 - i];
    return value;
  }
  Bytes bytes_;
  bool big_;
};

}  // namespace gramflow::decode
