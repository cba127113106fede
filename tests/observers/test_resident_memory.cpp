#include <doctest/doctest.h>

#include <cstddef>
#include <memory>

#include "framework/exec/resident_memory.h"

using namespace gramflow;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// Memory that is really there.
std::unique_ptr<volatile char[]> touched(std::size_t bytes) {
  auto memory = std::unique_ptr<volatile char[]>(new volatile char[bytes]);
  for (std::size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  return memory;
}

}  // namespace

TEST_CASE("Resident memory grows by what is touched and shrinks when it is given back; the peak stays") {
  const std::uint64_t before = resident_bytes();
  auto memory = touched(200 * mebibyte);
  CHECK(resident_bytes() - before > 190 * mebibyte);
  CHECK(resident_bytes() - before < 210 * mebibyte);
  memory.reset();
  CHECK(resident_bytes() < before + 20 * mebibyte);
  CHECK(peak_resident_bytes() > before + 190 * mebibyte);
  CHECK(peak_resident_bytes() < before + 400 * mebibyte);
}
