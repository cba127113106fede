#include <doctest/doctest.h>

#include <cstddef>

#include "framework/base/resident_memory.h"
#include "framework/tensor/arena.h"

using namespace gramflow;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

}  // namespace

TEST_CASE("Resident memory grows by what is touched and shrinks when it is given back; the peak stays") {
  const std::uint64_t before = resident_bytes();
  Arena memory(200 * mebibyte);
  memory.poison();
  CHECK(resident_bytes() - before > 190 * mebibyte);
  CHECK(resident_bytes() - before < 210 * mebibyte);
  memory.release_pages();
  CHECK(resident_bytes() < before + 20 * mebibyte);
  CHECK(peak_resident_bytes() > before + 190 * mebibyte);
  CHECK(peak_resident_bytes() < before + 400 * mebibyte);
}
