// Placing intervals in memory is NP-hard; greedy does well. Lifetimes are placed one after the other, each at
// the lowest offset where nothing that is alive at the same time lies already. What matters is the order: big
// ones first, or those that live long, or as they come. All of these are tried. While the best plan is above
// the lower bound (the most that is alive at one place), the lifetime that sticks out at the top is moved to
// the front of the order and the placing repeated; a few dozen rounds find most of what is left.
//
// Cost: lifetimes squared for each order tried. A network has some hundred lifetimes, so this takes
// milliseconds; the rounds are limited by work so that thousands stay quick.
#include "framework/tensor/arena_plan.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "framework/tensor/arena.h"

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

class Placer {
 public:
  explicit Placer(const std::vector<Block>& blocks) : blocks_(blocks) {}

  Placement place(const Order& order) {
    Placement placement;
    placement.offsets.assign(blocks_.size(), 0);
    placed_.clear();
    for (const std::size_t index : order) {
      const std::size_t offset = lowest_free(blocks_[index], placement);
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
  std::size_t lowest_free(const Block& block, const Placement& placement) const {
    std::size_t offset = 0;
    for (const std::size_t index : placed_) {  // by ascending offset
      const Block& other = blocks_[index];
      if (!overlap_in_time(block, other)) continue;
      if (placement.offsets[index] >= offset + block.bytes) break;
      offset = std::max(offset, round_up(placement.offsets[index] + other.bytes, block.alignment));
    }
    return offset;
  }

  const std::vector<Block>& blocks_;
  Order placed_;
};

std::vector<std::size_t> find_roots(std::span<const Lifetime> lifetimes) {
  std::vector<std::size_t> roots(lifetimes.size());
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    std::size_t root = i;
    for (std::size_t steps = 0; lifetimes[root].alias_of != -1; ++steps) {
      const auto next = static_cast<std::size_t>(lifetimes[root].alias_of);
      if (lifetimes[root].alias_of < 0 || next >= lifetimes.size())
        throw std::invalid_argument("lifetime " + std::to_string(root) + " is an alias of " +
                                    std::to_string(lifetimes[root].alias_of) + ", and there are " +
                                    std::to_string(lifetimes.size()));
      if (steps == lifetimes.size())
        throw std::invalid_argument("lifetime " + std::to_string(i) + " is an alias of itself");
      root = next;
    }
    roots[i] = root;
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
  Placer placer(blocks);
  Placement best;
  best.bytes = static_cast<std::size_t>(-1);
  const std::size_t work = std::max<std::size_t>(1, blocks.size() * blocks.size());
  const std::size_t rounds = std::clamp<std::size_t>(20'000'000 / work, 0, 60);
  for (Order& order : promising_orders(blocks)) {
    for (std::size_t round = 0; round <= rounds && best.bytes > bound; ++round) {
      Placement placement = placer.place(order);
      const bool more = promote_top(blocks, placement, order);
      if (placement.bytes < best.bytes) best = std::move(placement);
      if (!more) break;
    }
  }
  return best;
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
  for (std::size_t i = 0; i < blocks.size(); ++i)
    for (std::size_t k = 0; k < blocks.size(); ++k)
      if (blocks[i].last < blocks[k].first && placement.offsets[i] < placement.offsets[k] + blocks[k].bytes &&
          placement.offsets[k] < placement.offsets[i] + blocks[i].bytes)
        plan.reused.emplace_back(blocks[i].lifetime, blocks[k].lifetime);
  return plan;
}

}  // namespace gramflow
