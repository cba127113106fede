// A running iteration neither allocates nor frees: every allocation of the process is counted, and from the
// second iteration on there is none, whatever method, executor and number of threads.
#include <doctest/doctest.h>

#include "tests/support/count_allocations.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// Allocations in each iteration but the first, as seen from report to report.
class AllocationCounter final : public Observer {
 public:
  AllocationCounter() { counts_.reserve(1000); }
  void iteration(const IterationReport& report) override {
    const long now = allocations();
    if (report.iteration > 0) counts_.push_back(now - before_);
    before_ = allocations();
  }
  const std::vector<long>& counts() const { return counts_; }

 private:
  long before_ = 0;
  std::vector<long> counts_;
};

std::vector<long> allocations_with(const std::string& method, ExecutorKind executor, int threads) {
  const TemporaryFolder folder;
  std::string yaml = small_transfer(method);
  yaml.replace(yaml.find("unused.png"), 10, folder / "x.png");
  AllocationCounter counter;
  run(yaml, test_nodes(shipped_library()), {.executor = executor, .observers = {&counter}}, threads);
  return counter.counts();
}

}  // namespace

TEST_CASE("from the second iteration on nothing is allocated") {
  for (const char* method : {"method: adam, iterations: 6", "method: lbfgs, history: 3, iterations: 8"})
    for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::flow})
      for (const int threads : {1, 2}) {
        const std::vector<long> counts = allocations_with(method, executor, threads);
        REQUIRE(counts.size() >= 5);
        CHECK(counts == std::vector<long>(counts.size(), 0));
      }
}
