#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "framework/base/parallel.h"

using namespace gramflow;

TEST_CASE("parallel_for visits every index once, with workers below the limit") {
  ThreadScope scope(4);
  scope.execute([] {
    std::vector<std::atomic<int>> visits(1000);
    std::atomic<bool> in_range = true;
    parallel_for(1000, [&](std::int64_t index, int worker) {
      ++visits[static_cast<std::size_t>(index)];
      if (worker < 0 || worker >= worker_limit()) in_range = false;
    });
    for (const auto& count : visits) REQUIRE(count == 1);
    CHECK(in_range);
  });
}

TEST_CASE("No two bodies run as the same worker at the same time") {
  ThreadScope scope(4);
  scope.execute([] {
    std::vector<std::atomic<int>> busy(static_cast<std::size_t>(worker_limit()));
    std::atomic<bool> shared = false;
    parallel_for(2000, [&](std::int64_t, int worker) {
      if (busy[static_cast<std::size_t>(worker)].exchange(1) != 0) shared = true;
      for (std::atomic<int> spin = 0; spin < 500;) ++spin;
      busy[static_cast<std::size_t>(worker)] = 0;
    });
    CHECK_FALSE(shared);
  });
}

TEST_CASE("parallel_for works without a ThreadScope and with nothing to do") {
  std::atomic<int> sum = 0;
  parallel_for(10, [&](std::int64_t index, int) { sum += static_cast<int>(index); });
  parallel_for(0, [&](std::int64_t, int) { sum = -1; });
  CHECK(sum == 45);
}

TEST_CASE("An exception in a body reaches the caller") {
  CHECK_THROWS_WITH_AS(parallel_for(100,
                                    [](std::int64_t index, int) {
                                      if (index == 37) throw std::runtime_error("thirty-seven");
                                    }),
                       "thirty-seven", std::runtime_error);
}

TEST_CASE("A ThreadScope has the size it was asked for") {
  for (const int threads : {1, 2, 5}) {
    ThreadScope scope(threads);
    CHECK(scope.threads() == threads);
    scope.execute([&] { CHECK(worker_limit() == threads); });
  }
  CHECK(ThreadScope(0).threads() >= 1);
  CHECK_THROWS_WITH_AS(ThreadScope(-2), "a run needs 1 thread or more (0: all cores), not -2",
                       std::invalid_argument);
}
