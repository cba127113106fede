#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "framework/base/error.h"
#include "framework/tensor/arena.h"

using namespace gramflow;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

std::uintptr_t address(const Arena& arena) { return reinterpret_cast<std::uintptr_t>(arena.data(0)); }
float& float_at(const Arena& arena, std::size_t offset) { return *static_cast<float*>(arena.data(offset)); }

std::string refusal(std::size_t bytes) {
  try {
    Arena arena(bytes);
  } catch (const RunError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("An arena holds what is written from its first to its last byte") {
  const Arena arena(8 * mebibyte + 100);
  CHECK(arena.size() == 8 * mebibyte + 100);
  float_at(arena, 0) = 1;
  float_at(arena, 8 * mebibyte + 96) = 2;
  CHECK(float_at(arena, 0) == 1);
  CHECK(float_at(arena, 8 * mebibyte + 96) == 2);
}

TEST_CASE("Small arenas start on a page, large ones on a huge page") {
  CHECK(address(Arena(1000)) % 4096 == 0);
  CHECK(address(Arena(64 * mebibyte)) % (2 * mebibyte) == 0);
}

TEST_CASE("Untouched memory costs nothing: an arena may be larger than what is used of it") {
  const Arena arena(std::size_t{2} << 30);
  struct rusage before {
  }, after{};
  getrusage(RUSAGE_SELF, &before);
  float_at(arena, std::size_t{1} << 30) = 1;
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 64 * 1024);  // KiB
}

TEST_CASE("Poison is NaN everywhere; released pages are zeros again") {
  Arena arena(5 * mebibyte);
  arena.poison();
  for (std::size_t at = 0; at < arena.size(); at += 4092) CHECK(std::isnan(float_at(arena, at / 4 * 4)));
  CHECK(std::isnan(float_at(arena, arena.size() - 4)));
  arena.release_pages();
  CHECK(float_at(arena, 0) == 0);
  CHECK(float_at(arena, arena.size() - 4) == 0);
}

TEST_CASE("An empty arena has no memory and can be poisoned") {
  Arena arena(0);
  arena.poison();
  arena.release_pages();
  CHECK(arena.data(0) == nullptr);
}

TEST_CASE("An arena that moves keeps its memory") {
  Arena first(1000);
  float_at(first, 8) = 3;
  Arena second(std::move(first));
  CHECK(float_at(second, 8) == 3);
  CHECK(first.size() == 0);
  Arena third(5000);
  third = std::move(second);
  CHECK(float_at(third, 8) == 3);
  CHECK(third.size() == 1000);
}

TEST_CASE("Memory that cannot be had is an error in human sizes") {
  const std::string message = refusal(std::size_t{1} << 50);
  CHECK(message.find("needs 1.0 PiB of memory") != std::string::npos);
  CHECK(message.find("this machine has ") != std::string::npos);
  CHECK(message.find("'size'") != std::string::npos);
  CHECK(refusal(static_cast<std::size_t>(-1)) != "");
}
