// Placing intervals in memory is NP-hard; greedy does well. Lifetimes are placed one after the other, each at
// the lowest offset where nothing that is alive at the same time lies already. What matters is the order: big
// ones first, or those that live long, or as they come. All of these are tried. While the best plan is above
// the lower bound (the most that is alive at one place), the lifetime that sticks out at the top is moved to
// the front of the order and the placing repeated; a few dozen rounds find most of what is left.
//
// Each order costs up to lifetimes squared, milliseconds for the hundreds that a network has. For thousands
// the search ends when a fixed amount of work is done, and what it has found by then is compared with two
// plans that cost next to nothing: lifetimes taken as they come (or backwards, as they go), each into the
// smallest gap that is free then.
#include "framework/tensor/arena_plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

namespace gramflow {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t page = 4096;
constexpr std::size_t big = std::size_t{1} << 20;

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// A lifetime with all its aliases.
struct Block {
  std::int64_t first, last;
  std::size_t bytes;  // rounded up to its alignment
  std::size_t alignment;
  std::size_t lifetime;  // index of the one that is nobody's alias
};

bool overlap_in_time(const Block& a, const Block& b) { return a.first <= b.last && b.first <= a.last; }

using Order = std::vector<std::size_t>;

struct Placement {
  std::vector<std::size_t> offsets;
  std::size_t bytes = 0;
};

/// Places in any order, as long as there is work left to do: looks at blocks that lie already.
class Placer {
 public:
  Placer(const std::vector<Block>& blocks, std::size_t work) : blocks_(blocks), work_(work) {}

  /// Nothing when the work is used up.
  std::optional<Placement> place(const Order& order) {
    Placement placement;
    placement.offsets.assign(blocks_.size(), 0);
    placed_.clear();
    for (const std::size_t index : order) {
      const std::size_t offset = lowest_free(blocks_[index], placement);
      if (work_ == 0) return {};
      placement.offsets[index] = offset;
      placement.bytes = std::max(placement.bytes, offset + blocks_[index].bytes);
      const auto after =
          std::upper_bound(placed_.begin(), placed_.end(), offset,
                           [&](std::size_t o, std::size_t i) { return o < placement.offsets[i]; });
      placed_.insert(after, index);
    }
    return placement;
  }

 private:
  std::size_t lowest_free(const Block& block, const Placement& placement) {
    std::size_t offset = 0;
    for (const std::size_t index : placed_) {  // by ascending offset
      if (work_ == 0 || --work_ == 0) break;
      const Block& other = blocks_[index];
      if (!overlap_in_time(block, other)) continue;
      if (placement.offsets[index] >= offset + block.bytes) break;
      offset = std::max(offset, round_up(placement.offsets[index] + other.bytes, block.alignment));
    }
    return offset;
  }

  const std::vector<Block>& blocks_;
  std::size_t work_;
  Order placed_;
};

/// Gaps between blocks that are alive, as time goes by.
class Gaps {
 public:
  /// The smallest gap that is large enough; new memory at the top when there is none.
  std::size_t take(const Block& block) {
    constexpr int looks = 8;  // the smallest few may be misaligned; one larger by the alignment never is
    auto gap = by_size_.lower_bound({block.bytes, 0});
    for (int look = 0; look < looks && gap != by_size_.end() && !fits(*gap, block); ++look) ++gap;
    if (gap != by_size_.end() && !fits(*gap, block))
      gap = by_size_.lower_bound({block.bytes + block.alignment, 0});
    if (gap == by_size_.end()) return take_new(block);
    const auto [bytes, begin] = *gap;
    erase(begin);
    const std::size_t offset = round_up(begin, block.alignment);
    insert(begin, offset - begin);
    insert(offset + block.bytes, begin + bytes - offset - block.bytes);
    return offset;
  }
  void give_back(std::size_t offset, std::size_t bytes) {
    auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.end() && next->first == offset + bytes) {
      bytes += next->second;
      erase((next++)->first);
    }
    if (next != by_offset_.begin())
      if (const auto [begin, before] = *std::prev(next); begin + before == offset) {
        erase(begin);
        offset = begin;
        bytes += before;
      }
    insert(offset, bytes);
  }
  std::size_t top() const { return top_; }

 private:
  using Gap = std::pair<std::size_t, std::size_t>;  // bytes, offset

  static bool fits(const Gap& gap, const Block& block) {
    return round_up(gap.second, block.alignment) + block.bytes <= gap.second + gap.first;
  }
  /// What is free at the top becomes the beginning of it.
  std::size_t take_new(const Block& block) {
    std::size_t begin = top_;
    if (!by_offset_.empty())
      if (const auto [last, bytes] = *std::prev(by_offset_.end()); last + bytes == top_) {
        begin = last;
        erase(last);
      }
    const std::size_t offset = round_up(begin, block.alignment);
    insert(begin, offset - begin);
    top_ = offset + block.bytes;
    return offset;
  }
  void insert(std::size_t offset, std::size_t bytes) {
    if (bytes == 0) return;
    by_offset_.emplace(offset, bytes);
    by_size_.emplace(bytes, offset);
  }
  void erase(std::size_t offset) {
    const auto gap = by_offset_.find(offset);
    by_size_.erase({gap->second, offset});
    by_offset_.erase(gap);
  }

  std::map<std::size_t, std::size_t> by_offset_;
  std::set<Gap> by_size_;
  std::size_t top_ = 0;
};

/// Blocks as they come, or backwards.
Placement place_in_time(const std::vector<Block>& blocks, bool backwards) {
  struct Event {
    std::int64_t place;
    bool begins;  // ends come first at a place
    std::size_t block;
    auto operator<=>(const Event&) const = default;
  };
  std::vector<Event> events;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const Block& block = blocks[i];
    events.push_back({backwards ? -block.last : block.first, true, i});
    events.push_back({(backwards ? -block.first : block.last) + 1, false, i});
  }
  std::sort(events.begin(), events.end());
  Placement placement;
  placement.offsets.assign(blocks.size(), 0);
  Gaps gaps;
  for (const Event& event : events)
    if (event.begins)
      placement.offsets[event.block] = gaps.take(blocks[event.block]);
    else
      gaps.give_back(placement.offsets[event.block], blocks[event.block].bytes);
  placement.bytes = gaps.top();
  return placement;
}

std::vector<std::size_t> find_roots(std::span<const Lifetime> lifetimes) {
  constexpr std::size_t unknown = static_cast<std::size_t>(-1);
  std::vector<std::size_t> roots(lifetimes.size(), unknown), chain;
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    std::size_t root = i;
    for (chain.clear(); roots[root] == unknown && lifetimes[root].alias_of != -1;) {
      chain.push_back(root);
      const auto next = static_cast<std::size_t>(lifetimes[root].alias_of);
      if (lifetimes[root].alias_of < 0 || next >= lifetimes.size())
        throw std::invalid_argument("lifetime " + std::to_string(root) + " is an alias of " +
                                    std::to_string(lifetimes[root].alias_of) + ", and there are " +
                                    std::to_string(lifetimes.size()));
      if (chain.size() > lifetimes.size())
        throw std::invalid_argument("lifetime " + std::to_string(i) + " is an alias of itself");
      root = next;
    }
    if (roots[root] == unknown) roots[root] = root;
    for (const std::size_t alias : chain) roots[alias] = roots[root];
  }
  return roots;
}

std::vector<Block> make_blocks(std::span<const Lifetime> lifetimes, const std::vector<std::size_t>& roots) {
  std::vector<Lifetime> whole(lifetimes.begin(), lifetimes.end());
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    if (lifetimes[i].last < lifetimes[i].first)
      throw std::invalid_argument("lifetime " + std::to_string(i) + " ends before it begins");
    Lifetime& root = whole[roots[i]];
    root.first = std::min(root.first, lifetimes[i].first);
    root.last = std::max(root.last, lifetimes[i].last);
    root.bytes = std::max(root.bytes, lifetimes[i].bytes);
  }
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (roots[i] != i || whole[i].bytes == 0) continue;
    const std::size_t alignment = whole[i].bytes >= big ? page : cache_line;
    blocks.push_back({whole[i].first, whole[i].last, round_up(whole[i].bytes, alignment), alignment, i});
  }
  return blocks;
}

std::size_t most_alive(const std::vector<Block>& blocks) {
  std::vector<std::pair<std::int64_t, std::int64_t>> changes;  // place, bytes gained or lost
  for (const Block& block : blocks) {
    changes.emplace_back(block.first, static_cast<std::int64_t>(block.bytes));
    changes.emplace_back(block.last + 1, -static_cast<std::int64_t>(block.bytes));
  }
  std::sort(changes.begin(), changes.end());  // losses come first at a place
  std::int64_t alive = 0, most = 0;
  for (const auto& [place, change] : changes) most = std::max(most, alive += change);
  return static_cast<std::size_t>(most);
}

/// Stable, so that equal lifetimes keep the caller's order.
template <class Key>
Order sorted_by(const std::vector<Block>& blocks, Key key) {
  Order order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return key(blocks[a]) < key(blocks[b]); });
  return order;
}

std::vector<Order> promising_orders(const std::vector<Block>& blocks) {
  const auto length = [](const Block& b) { return static_cast<double>(b.last - b.first + 1); };
  const auto bytes = [](const Block& b) { return static_cast<double>(b.bytes); };
  return {sorted_by(blocks, [&](const Block& b) { return -bytes(b); }),
          sorted_by(blocks, [&](const Block& b) { return -bytes(b) * length(b); }),
          sorted_by(blocks, [&](const Block& b) { return -length(b); }),
          sorted_by(blocks, [](const Block& b) { return b.first; }),
          sorted_by(blocks, [](const Block& b) { return -b.last; })};
}

/// Moves the block at the top to the front. False when it is there already.
bool promote_top(const std::vector<Block>& blocks, const Placement& placement, Order& order) {
  const auto top = std::find_if(order.begin(), order.end(), [&](std::size_t index) {
    return placement.offsets[index] + blocks[index].bytes == placement.bytes;
  });
  if (top == order.begin()) return false;
  std::rotate(order.begin(), top, top + 1);
  return true;
}

Placement best_placement(const std::vector<Block>& blocks, std::size_t bound) {
  constexpr std::size_t work = 60'000'000;  // blocks looked at: a tenth of a second
  const std::size_t squared = std::max<std::size_t>(1, blocks.size() * blocks.size());
  const std::size_t rounds = std::clamp<std::size_t>(work / 3 / squared, 0, 60);
  Placer placer(blocks, work);
  Placement best;
  best.bytes = static_cast<std::size_t>(-1);
  const auto compare = [&best](Placement&& placement) {
    if (placement.bytes < best.bytes) best = std::move(placement);
  };
  for (Order& order : promising_orders(blocks)) {
    for (std::size_t round = 0; round <= rounds && best.bytes > bound; ++round) {
      std::optional<Placement> placement = placer.place(order);
      if (!placement) {
        compare(place_in_time(blocks, false));
        compare(place_in_time(blocks, true));
        return best;
      }
      const bool more = promote_top(blocks, *placement, order);
      compare(std::move(*placement));
      if (!more) break;
    }
  }
  return best;
}

/// Who lay last, where each block comes to lie. One walk in time over a map of who was where last.
std::vector<std::pair<std::size_t, std::size_t>> find_reused(const std::vector<Block>& blocks,
                                                             const Placement& placement) {
  struct Stretch {
    std::size_t end;
    std::size_t block;
  };
  std::map<std::size_t, Stretch> stretches;  // by offset
  std::vector<std::pair<std::size_t, std::size_t>> reused;
  for (const std::size_t index : sorted_by(blocks, [](const Block& b) { return b.first; })) {
    const std::size_t begin = placement.offsets[index], end = begin + blocks[index].bytes;
    auto at = stretches.upper_bound(begin);
    if (at != stretches.begin() && std::prev(at)->second.end > begin) --at;
    while (at != stretches.end() && at->first < end) {
      const auto [from, stretch] = *at;
      reused.emplace_back(blocks[stretch.block].lifetime, blocks[index].lifetime);
      at = stretches.erase(at);
      if (from < begin) stretches.emplace(from, Stretch{begin, stretch.block});
      if (stretch.end > end) at = stretches.emplace(end, stretch).first;
    }
    stretches.emplace(begin, Stretch{end, index});
  }
  std::sort(reused.begin(), reused.end());
  reused.erase(std::unique(reused.begin(), reused.end()), reused.end());
  return reused;
}

}  // namespace

ArenaPlan plan_arena(std::span<const Lifetime> lifetimes) {
  const std::vector<std::size_t> roots = find_roots(lifetimes);
  const std::vector<Block> blocks = make_blocks(lifetimes, roots);
  ArenaPlan plan;
  plan.offsets.assign(lifetimes.size(), 0);
  if (blocks.empty()) return plan;
  plan.live_bytes = most_alive(blocks);
  const Placement placement = best_placement(blocks, plan.live_bytes);
  plan.bytes = placement.bytes;
  for (std::size_t i = 0; i < blocks.size(); ++i) plan.offsets[blocks[i].lifetime] = placement.offsets[i];
  for (std::size_t i = 0; i < lifetimes.size(); ++i) plan.offsets[i] = plan.offsets[roots[i]];
  plan.reused = find_reused(blocks, placement);
  return plan;
}

}  // namespace gramflow
