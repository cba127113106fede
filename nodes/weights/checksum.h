#pragma once
// The two checksums that publishers of weights give. MD5 tells accidents, not attacks; nobody offers better
// for those files.
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace gramflow {

/// Fed piece by piece; hex() ends it. FIPS 180-4.
class Sha256 {
 public:
  Sha256();
  void update(const void* bytes, std::size_t count);
  std::string hex();

 private:
  void block(const unsigned char* bytes);
  std::array<std::uint32_t, 8> state_;
  std::array<unsigned char, 64> buffer_{};
  std::uint64_t length_ = 0;
};

/// The same for RFC 1321.
class Md5 {
 public:
  Md5();
  void update(const void* bytes, std::size_t count);
  std::string hex();

 private:
  void block(const unsigned char* bytes);
  std::array<std::uint32_t, 4> state_;
  std::array<unsigned char, 64> buffer_{};
  std::uint64_t length_ = 0;
};

struct Checksums {
  std::string sha256;
  std::string md5;
};
/// Of a whole file, read once. Throws RunError, the path in front. `progress`, if any, is told how many bytes
/// of how many are done.
Checksums file_checksums(const std::string& path,
                         const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

}  // namespace gramflow
