// Both hashes eat blocks of 64 bytes and end with a one bit, zeros and the length; they differ in the rounds
// and in the order of bytes. The constants are the fractional parts of cube roots and square roots of primes
// (SHA-256) and of sines (MD5).
#include "nodes/weights/checksum.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "framework/base/error.h"

namespace gramflow {
namespace {

constexpr std::array<std::uint32_t, 64> sha_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::array<std::uint32_t, 64> md5_constants() {
  std::array<std::uint32_t, 64> constants{};
  for (std::size_t i = 0; i < 64; ++i)
    constants[i] =
        static_cast<std::uint32_t>(std::floor(std::fabs(std::sin(static_cast<double>(i + 1))) * 0x1p32));
  return constants;
}

/// Hands whole blocks to `block`, and keeps the rest in `buffer`.
template <class Block>
void feed(std::array<unsigned char, 64>& buffer, std::uint64_t& length, const void* bytes, std::size_t count,
          Block block) {
  const auto* from = static_cast<const unsigned char*>(bytes);
  auto used = static_cast<std::size_t>(length % 64);
  length += count;
  while (count > 0) {
    if (used == 0 && count >= 64) {
      block(from);
      from += 64;
      count -= 64;
      continue;
    }
    const std::size_t taken = std::min(count, 64 - used);
    std::memcpy(buffer.data() + used, from, taken);
    used += taken;
    from += taken;
    count -= taken;
    if (used == 64) {
      block(buffer.data());
      used = 0;
    }
  }
}

/// The bytes that end a message of this length.
std::vector<unsigned char> ending(std::uint64_t length, bool big_endian) {
  std::vector<unsigned char> bytes(
      static_cast<std::size_t>(length % 64 < 56 ? 64 - length % 64 : 128 - length % 64), 0);
  bytes[0] = 0x80;
  for (std::size_t i = 0; i < 8; ++i)
    bytes[bytes.size() - 8 + i] =
        static_cast<unsigned char>(((length * 8) >> (8 * (big_endian ? 7 - i : i))) & 0xFFU);
  return bytes;
}

template <std::size_t count>
std::string hexadecimal(const std::array<std::uint32_t, count>& words, bool big_endian) {
  std::string text;
  for (const std::uint32_t word : words)
    for (unsigned i = 0; i < 4; ++i) {
      const std::uint32_t byte = (word >> (8 * (big_endian ? 3 - i : i))) & 0xFFU;
      text.push_back("0123456789abcdef"[byte >> 4]);
      text.push_back("0123456789abcdef"[byte & 15U]);
    }
  return text;
}

}  // namespace

Sha256::Sha256()
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
}

void Sha256::update(const void* bytes, std::size_t count) {
  feed(buffer_, length_, bytes, count, [this](const unsigned char* b) { block(b); });
}

void Sha256::block(const unsigned char* bytes) {
  std::array<std::uint32_t, 64> w{};
  for (std::size_t i = 0; i < 16; ++i)
    w[i] = static_cast<std::uint32_t>(bytes[4 * i]) << 24 |
           static_cast<std::uint32_t>(bytes[4 * i + 1]) << 16 |
           static_cast<std::uint32_t>(bytes[4 * i + 2]) << 8 | bytes[4 * i + 3];
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + sha_constants[i] + w[i];
    const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::array<std::uint32_t, 8> add = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state_[i] += add[i];
}

std::string Sha256::hex() {
  const std::vector<unsigned char> end = ending(length_, true);
  update(end.data(), end.size());
  return hexadecimal(state_, true);
}

Md5::Md5() : state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476} {}

void Md5::update(const void* bytes, std::size_t count) {
  feed(buffer_, length_, bytes, count, [this](const unsigned char* b) { block(b); });
}

void Md5::block(const unsigned char* bytes) {
  static const std::array<std::uint32_t, 64> constants = md5_constants();
  static constexpr int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  std::array<std::uint32_t, 16> w{};
  std::memcpy(w.data(), bytes, 64);
  auto [a, b, c, d] = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    std::uint32_t mixed = 0;
    std::size_t word = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d), word = i;
        break;
      case 1:
        mixed = (d & b) | (~d & c), word = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d, word = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d), word = (7 * i) % 16;
        break;
    }
    mixed += a + constants[i] + w[word];
    a = d, d = c, c = b, b += std::rotl(mixed, turns[i / 16][i % 4]);
  }
  const std::array<std::uint32_t, 4> add = {a, b, c, d};
  for (std::size_t i = 0; i < 4; ++i) state_[i] += add[i];
}

std::string Md5::hex() {
  const std::vector<unsigned char> end = ending(length_, false);
  update(end.data(), end.size());
  return hexadecimal(state_, false);
}

Checksums file_checksums(const std::string& path,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw RunError(path + ": cannot be opened");
  std::error_code unknown;
  const std::uint64_t total = progress ? std::filesystem::file_size(path, unknown) : 0;
  std::uint64_t done = 0;
  Sha256 sha256;
  Md5 md5;
  std::vector<char> bytes(1U << 18);
  while (file) {
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    sha256.update(bytes.data(), static_cast<std::size_t>(file.gcount()));
    md5.update(bytes.data(), static_cast<std::size_t>(file.gcount()));
    done += static_cast<std::uint64_t>(file.gcount());
    if (progress && !unknown) progress(done, total);
  }
  if (file.bad()) throw RunError(path + ": cannot be read");
  return {sha256.hex(), md5.hex()};
}

}  // namespace gramflow
