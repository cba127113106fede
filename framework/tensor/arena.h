#pragma once
// Memory that is planned before it is taken: where each tensor lies in one block (plan_arena, pure
// arithmetic), and the block itself (Arena).
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
  /// Every pair (earlier, later) of lifetimes that have bytes in common, by index, ascending. Whoever runs
  /// operations in another order than the line's must finish with the earlier before the later is first
  /// written. Lifetimes joined by alias_of appear as the one at the end of the chain.
  std::vector<std::pair<std::size_t, std::size_t>> reused;
  /// The most bytes alive at one place: no plan can be smaller.
  std::size_t live_bytes = 0;
};

/// Lifetimes that overlap in time do not overlap in memory (aliases apart). Deterministic. Throws
/// std::invalid_argument when a lifetime ends before it begins or an alias is out of range or goes in a
/// circle.
ArenaPlan plan_arena(std::span<const Lifetime> lifetimes);

/// One block of memory, pages on demand: until a page is written it costs nothing and reads as zeros. Large
/// ones start on a huge page and ask for such. Threads may use disjoint parts at once.
class Arena {
 public:
  Arena() = default;
  /// Throws RunError, naming how much was asked for and how much there is, when the system refuses.
  explicit Arena(std::size_t bytes);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  /// nullptr in an arena without bytes.
  void* data(std::size_t offset) const {
    return base_ == nullptr ? nullptr : static_cast<std::byte*>(base_) + offset;
  }
  std::size_t size() const { return size_; }
  /// Fills everything with floats that are NaN, to find reads of what was never written.
  void poison();
  /// Gives the pages back to the system; the contents are zeros afterwards.
  void release_pages();

 private:
  void* base_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gramflow
