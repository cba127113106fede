#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <random>
#include <set>
#include <stdexcept>

#include "framework/tensor/arena_plan.h"

using namespace gramflow;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

bool overlap_in_time(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

bool overlap_in_memory(const ArenaPlan& plan, const std::vector<Lifetime>& lifetimes, std::size_t a,
                       std::size_t b) {
  return plan.offsets[a] < plan.offsets[b] + lifetimes[b].bytes &&
         plan.offsets[b] < plan.offsets[a] + lifetimes[a].bytes;
}

std::size_t peak_live(const std::vector<Lifetime>& lifetimes) {
  std::size_t peak = 0;
  for (const Lifetime& at : lifetimes) {
    std::size_t alive = 0;
    for (const Lifetime& other : lifetimes)
      if (other.first <= at.first && at.first <= other.last) alive += other.bytes;
    peak = std::max(peak, alive);
  }
  return peak;
}

/// From each lifetime, going from pair to pair: whom it comes before.
std::vector<std::set<std::size_t>> followers(const ArenaPlan& plan, std::size_t count) {
  std::vector<std::set<std::size_t>> next(count), all(count);
  for (const auto& [earlier, later] : plan.reused) next[earlier].insert(later);
  for (std::size_t start = 0; start < count; ++start) {
    std::vector<std::size_t> stack(next[start].begin(), next[start].end());
    while (!stack.empty()) {
      const std::size_t at = stack.back();
      stack.pop_back();
      if (!all[start].insert(at).second) continue;
      stack.insert(stack.end(), next[at].begin(), next[at].end());
    }
  }
  return all;
}

/// Everything that must hold for any plan without aliases.
void check_valid(const ArenaPlan& plan, const std::vector<Lifetime>& lifetimes) {
  REQUIRE(plan.offsets.size() == lifetimes.size());
  const auto after = followers(plan, lifetimes.size());
  std::size_t conflicts = 0, missing = 0, outside = 0, misaligned = 0, apart = 0;
  for (std::size_t a = 0; a < lifetimes.size(); ++a) {
    outside += plan.offsets[a] + lifetimes[a].bytes > plan.bytes;
    misaligned += plan.offsets[a] % (lifetimes[a].bytes >= mebibyte ? 4096 : 64) != 0;
    for (std::size_t b = 0; b < lifetimes.size(); ++b) {
      if (a == b || lifetimes[a].bytes == 0 || lifetimes[b].bytes == 0) continue;
      const bool shared = overlap_in_memory(plan, lifetimes, a, b);
      if (shared && overlap_in_time(lifetimes[a], lifetimes[b])) ++conflicts;
      if (!shared || lifetimes[a].last >= lifetimes[b].first) continue;
      missing += !after[a].contains(b);
    }
  }
  const auto aligned = [&](std::size_t i) {
    const std::size_t unit = lifetimes[i].bytes >= mebibyte ? 4096 : 64;
    return (lifetimes[i].bytes + unit - 1) / unit * unit;
  };
  for (const auto& [earlier, later] : plan.reused) {
    CHECK(lifetimes[earlier].last < lifetimes[later].first);
    apart += plan.offsets[earlier] >= plan.offsets[later] + aligned(later) ||
             plan.offsets[later] >= plan.offsets[earlier] + aligned(earlier);
  }
  CHECK(conflicts == 0);
  CHECK(missing == 0);
  CHECK(apart == 0);
  CHECK(outside == 0);
  CHECK(misaligned == 0);
  CHECK(std::set(plan.reused.begin(), plan.reused.end()).size() == plan.reused.size());
  CHECK(plan.reused.size() <= 3 * lifetimes.size());
  CHECK(plan.bytes >= peak_live(lifetimes));
  CHECK(plan.bytes >= plan.live_bytes);
}

std::vector<Lifetime> random_lifetimes(unsigned seed, std::size_t count, std::size_t largest) {
  std::mt19937_64 random(seed);
  std::vector<Lifetime> lifetimes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto first = static_cast<std::int64_t>(random() % count);
    const auto length = static_cast<std::int64_t>(random() % (random() % 4 == 0 ? count : 6));
    lifetimes.push_back({first, first + length, random() % largest});
  }
  return lifetimes;
}

/// Forward tensors kept until their backward, gradients that live for two steps, scratch for one: what a
/// convolutional network looks like. Sizes shrink with depth.
std::vector<Lifetime> network_lifetimes(int layers) {
  std::vector<Lifetime> lifetimes;
  const auto bytes = [](int layer) { return (std::size_t{64} << 20) >> (layer / 3); };
  for (int layer = 0; layer < layers; ++layer) {
    lifetimes.push_back({layer, 2 * layers - layer, bytes(layer) / 32});  // mask
    lifetimes.push_back(
        {layer, layer + (layer % 4 == 0 ? 2 * (layers - layer) : 1), bytes(layer)});  // output
    lifetimes.push_back({layer, layer, 3 * mebibyte});                                // scratch
    lifetimes.push_back({2 * layers - layer - 1, 2 * layers - layer, bytes(layer)});  // gradient
  }
  return lifetimes;
}

}  // namespace

TEST_CASE("Nothing to place needs nothing") {
  CHECK(plan_arena({}).bytes == 0);
  const std::vector<Lifetime> empty = {{0, 5, 0}, {1, 2, 0}};
  CHECK(plan_arena(empty).bytes == 0);
  CHECK(plan_arena(empty).offsets == std::vector<std::size_t>{0, 0});
}

TEST_CASE("What lives one after the other shares memory, and the plan says so") {
  const std::vector<Lifetime> lifetimes = {{0, 1, 640}, {2, 3, 640}};
  const ArenaPlan plan = plan_arena(lifetimes);
  CHECK(plan.bytes == 640);
  CHECK(plan.reused == std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}});
}

TEST_CASE("Both ends of a lifetime count: an operation's input and output do not share") {
  const std::vector<Lifetime> lifetimes = {{0, 1, 640}, {1, 2, 640}};
  const ArenaPlan plan = plan_arena(lifetimes);
  CHECK(plan.bytes == 1280);
  CHECK(plan.reused.empty());
}

TEST_CASE("Two small ones fit into the room of a large one") {
  const std::vector<Lifetime> lifetimes = {{0, 1, 1280}, {2, 3, 640}, {2, 3, 640}};
  const ArenaPlan plan = plan_arena(lifetimes);
  CHECK(plan.bytes == 1280);
  CHECK(plan.reused == std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {0, 2}});
}

TEST_CASE("Aliases share one place, which lives as long as all of them and is as big as the biggest") {
  const std::vector<Lifetime> lifetimes = {
      {0, 1, 640}, {1, 4, 1280, 0}, {3, 3, 640}, {6, 7, 64, 1}, {8, 8, 64}};
  const ArenaPlan plan = plan_arena(lifetimes);
  CHECK(plan.offsets[0] == plan.offsets[1]);
  CHECK(plan.offsets[0] == plan.offsets[3]);
  CHECK(plan.bytes == 1920);
  CHECK((plan.offsets[2] >= plan.offsets[0] + 1280 || plan.offsets[2] + 640 <= plan.offsets[0]));
  REQUIRE(plan.reused.size() == 1);
  CHECK(plan.reused[0].second == 4);
}

TEST_CASE("Lifetimes that cannot be are refused") {
  CHECK_THROWS_AS(plan_arena(std::vector<Lifetime>{{3, 2, 64}}), std::invalid_argument);
  CHECK_THROWS_AS(plan_arena(std::vector<Lifetime>{{0, 1, 64, 1}}), std::invalid_argument);
  CHECK_THROWS_AS(plan_arena(std::vector<Lifetime>{{0, 1, 64, -2}}), std::invalid_argument);
  CHECK_THROWS_AS(plan_arena(std::vector<Lifetime>{{0, 1, 64, 1}, {0, 1, 64, 0}}), std::invalid_argument);
}

TEST_CASE("Random lifetimes: never two in one place, every reuse named, close to what is alive") {
  double total = 0, bound = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const std::vector<Lifetime> lifetimes =
        random_lifetimes(seed, 2 + seed % 90, seed % 3 == 0 ? 4 * mebibyte : 200'000);
    const ArenaPlan plan = plan_arena(lifetimes);
    check_valid(plan, lifetimes);
    CHECK(static_cast<double>(plan.bytes) <= 1.25 * static_cast<double>(plan.live_bytes));
    total += static_cast<double>(plan.bytes) / static_cast<double>(plan.live_bytes);
    bound += 1;
  }
  MESSAGE("mean of plan / lower bound: " << total / bound);
  CHECK(total / bound < 1.02);
}

TEST_CASE("A network's lifetimes pack without loss") {
  for (const int layers : {4, 13, 40}) {
    CAPTURE(layers);
    const std::vector<Lifetime> lifetimes = network_lifetimes(layers);
    const ArenaPlan plan = plan_arena(lifetimes);
    check_valid(plan, lifetimes);
    CHECK(static_cast<double>(plan.bytes) <= 1.03 * static_cast<double>(plan.live_bytes));
  }
}

TEST_CASE("The same lifetimes give the same plan") {
  const std::vector<Lifetime> lifetimes = random_lifetimes(5, 80, 300'000);
  const ArenaPlan first = plan_arena(lifetimes), second = plan_arena(lifetimes);
  CHECK(first.offsets == second.offsets);
  CHECK(first.reused == second.reused);
}

TEST_CASE("Thousands of lifetimes take a little more than thousands of times as long as one") {
  for (const std::size_t count : {4000U, 16000U, 64000U}) {
    const std::vector<Lifetime> lifetimes = random_lifetimes(9, count, 300'000);
    const std::clock_t start = std::clock();
    const ArenaPlan plan = plan_arena(lifetimes);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    const double ratio = static_cast<double>(plan.bytes) / static_cast<double>(plan.live_bytes);
    MESSAGE(count << " lifetimes: " << seconds << " s, " << ratio << " of the lower bound");
    CHECK(seconds < 5);
    CHECK(ratio >= 1);
    CHECK(ratio < 1.25);
    CHECK(plan.reused.size() <= 3 * count);
  }
}

TEST_CASE("Thousands of lifetimes never lie two in one place") {
  for (unsigned seed = 0; seed < 3; ++seed)
    check_valid(plan_arena(random_lifetimes(seed, 5000, seed == 0 ? 4 * mebibyte : 200'000)),
                random_lifetimes(seed, 5000, seed == 0 ? 4 * mebibyte : 200'000));
}
