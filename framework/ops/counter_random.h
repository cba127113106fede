#pragma once
// Random numbers without a state: a hash of a seed and counters. Whoever asks with the same numbers gets the
// same answer, in any order and on any machine. The mixing is SplitMix64's finaliser (Steele, Lea and Flood,
// "Fast splittable pseudorandom number generators", OOPSLA 2014).
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace gramflow {

inline std::uint64_t mix_bits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// 64 random bits for these counters.
inline std::uint64_t counter_random(std::uint64_t seed, std::initializer_list<std::uint64_t> counters) {
  std::uint64_t bits = mix_bits(seed + 0x9E3779B97F4A7C15U);
  for (const std::uint64_t counter : counters) bits = mix_bits(bits ^ (counter + 0x9E3779B97F4A7C15U));
  return bits;
}

/// The same, even over 0 .. count - 1. `count` is at most 2^32.
inline std::int64_t counter_random_below(std::int64_t count, std::uint64_t seed,
                                         std::initializer_list<std::uint64_t> counters) {
  const std::uint64_t high = counter_random(seed, counters) >> 32;
  return static_cast<std::int64_t>((high * static_cast<std::uint64_t>(count)) >> 32);
}

/// A number for a name (FNV-1a), to be used as a counter.
inline std::uint64_t name_counter(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

}  // namespace gramflow
