#pragma once
// Where each tensor lies in one block of memory: pure arithmetic, before any is taken.
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace gramflow {

/// When a tensor is needed, in places of operations on a line, both ends included, and how big it is.
struct Lifetime {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::size_t bytes = 0;
  /// Index of another lifetime whose memory this one shares from its first byte on; -1: memory of its own.
  int alias_of = -1;
};

struct ArenaPlan {
  /// Of each lifetime; multiples of 64, of 4096 from 1 MiB on. 0 for a lifetime without bytes.
  std::vector<std::size_t> offsets;
  std::size_t bytes = 0;
  /// Pairs (earlier, later) of lifetimes that have bytes in common with nobody's in between, by index,
  /// ascending: whoever else had them before is found by going from pair to pair. Whoever runs operations in
  /// another order than the line's must finish with the earlier before the later is first written. Lifetimes
  /// joined by alias_of appear as the one at the end of the chain.
  std::vector<std::pair<std::size_t, std::size_t>> reused;
  /// The most bytes alive at one place: no plan can be smaller.
  std::size_t live_bytes = 0;
};

/// Lifetimes that overlap in time do not overlap in memory (aliases apart). Deterministic. Throws
/// std::invalid_argument when a lifetime ends before it begins or an alias is out of range or goes in a
/// circle.
ArenaPlan plan_arena(std::span<const Lifetime> lifetimes);

}  // namespace gramflow
