#pragma once
// A checksum that tells accidents (not attacks) apart at the speed of memory: XXH3 with 128 bits, as `xxh128sum`
// prints it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gramflow {

/// Fed piece by piece. One thread.
class ContentChecksum {
 public:
  using Bytes = std::array<unsigned char, 16>;
  ContentChecksum();
  ~ContentChecksum();
  ContentChecksum(const ContentChecksum&) = delete;
  ContentChecksum& operator=(const ContentChecksum&) = delete;
  void update(const void* bytes, std::size_t count);
  /// Of all that was given so far, most significant byte first.
  Bytes bytes() const;
  /// The same as 32 hex digits.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of a whole file, as 32 hex digits; "" when it cannot be read.
std::string file_checksum(const std::string& path);

}  // namespace gramflow
