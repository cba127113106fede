#pragma once
// What verify() asks of a set of operations that run together: who writes where, and who surely runs before
// whom. Internal to framework/compile.
#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "framework/compile/plan.h"

namespace gramflow::memory {

inline constexpr int arena_space = -1;
inline constexpr int host_space = -2;

/// Bytes of an arena, the device's or the host's, or of an external.
struct Bytes {
  int space = arena_space;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool overlaps(const Bytes& other) const {
    return space == other.space && begin < other.end && other.begin < end;
  }
};

struct Access {
  Bytes bytes;
  int operation = -1;
  bool writes = false;
};

/// Which operations of a set come before which: a bit a pair, filled from the last operation to the first.
/// Paths may lead through operations of the section that are not in the set: executors keep these, too.
class Order {
 public:
  Order(const Plan& plan, const std::vector<int>& set) {
    if (set.empty()) return;
    first_ = static_cast<std::size_t>(set.front());
    const std::size_t count = static_cast<std::size_t>(set.back()) - first_ + 1;
    held_.assign(count, false);
    for (const int operation : set) held_[place_of(operation)] = true;
    words_ = (count + 63) / 64;
    after_.assign(count * words_, 0);
    for (std::size_t i = count; i-- > 0;)
      for (const int successor : plan.successors[first_ + i]) {
        const std::size_t to = place_of(successor);
        if (to >= count || to <= i) continue;
        row(i)[to / 64] |= std::uint64_t{1} << (to % 64);
        for (std::size_t w = to / 64; w < words_; ++w) row(i)[w] |= row(to)[w];
      }
  }
  bool holds(int operation) const {
    const std::size_t place = place_of(operation);
    return place < held_.size() && held_[place];
  }
  bool before(int a, int b) const {
    const std::size_t to = place_of(b);
    return (after_[place_of(a) * words_ + to / 64] >> (to % 64) & 1) != 0;
  }

 private:
  std::uint64_t* row(std::size_t i) { return after_.data() + i * words_; }
  /// Beyond all others for what lies before the set.
  std::size_t place_of(int operation) const { return static_cast<std::size_t>(operation) - first_; }

  std::size_t first_ = 0;
  std::vector<bool> held_;
  std::size_t words_ = 0;
  std::vector<std::uint64_t> after_;
};

/// The writes among accesses, to ask who writes where.
class Writes {
 public:
  explicit Writes(const std::vector<Access>& accesses) {
    for (const Access& access : accesses)
      if (access.writes) writes_.push_back(access);
    std::sort(writes_.begin(), writes_.end(), [](const Access& a, const Access& b) {
      return std::tie(a.bytes.space, a.bytes.begin) < std::tie(b.bytes.space, b.bytes.begin);
    });
    for (std::size_t i = 0; i < writes_.size(); ++i) {
      const bool first = i == 0 || writes_[i - 1].bytes.space != writes_[i].bytes.space;
      reach_.push_back(first ? writes_[i].bytes.end : std::max(reach_.back(), writes_[i].bytes.end));
    }
  }
  template <class Visit>
  void for_each_overlapping(const Bytes& bytes, Visit visit) const {
    auto at = static_cast<std::size_t>(
        std::lower_bound(writes_.begin(), writes_.end(), bytes,
                         [](const Access& write, const Bytes& b) {
                           return std::tie(write.bytes.space, write.bytes.begin) < std::tie(b.space, b.end);
                         }) -
        writes_.begin());
    while (at-- > 0 && writes_[at].bytes.space == bytes.space && reach_[at] > bytes.begin)
      if (writes_[at].bytes.overlaps(bytes)) visit(writes_[at].operation);
  }

 private:
  std::vector<Access> writes_;      // by where they begin
  std::vector<std::size_t> reach_;  // the furthest end of a write up to here
};

}  // namespace gramflow::memory
