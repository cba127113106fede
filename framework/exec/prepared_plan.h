#pragma once
// A Plan with memory: the arena, the externals, the acquired filters, one Kernel an operation. What executors
// run.
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "framework/compile/plan.h"
#include "framework/observers/trace.h"
#include "framework/tensor/arena.h"

namespace gramflow {

/// When an operation ran and for how long, as told by a steady clock in nanoseconds.
struct OperationTime {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

class PreparedPlan {
 public:
  /// Allocates, reads and packs the weights, makes the kernels. `externals`: memory for each of
  /// plan.externals, of its bytes, aligned to 64. `plan` and that memory must outlive it. To be called inside
  /// the ThreadScope of the run, which must not be wider than the plan's. Throws RunError and
  /// MissingResource.
  /// `asked_to_stop` is heard between two weights that are read: Interrupted. Borrowed for the call.
  PreparedPlan(const Plan& plan, std::span<void* const> externals,
               const std::atomic<bool>* asked_to_stop = nullptr);
  PreparedPlan(const PreparedPlan&) = delete;
  PreparedPlan& operator=(const PreparedPlan&) = delete;

  const Plan& plan() const { return plan_; }
  TensorView view(TensorId tensor) const;
  /// Runs one operation and notes its time. What it throws is rethrown as the same kind of error with the
  /// node and its line in front; anything unforeseen becomes a RunError.
  void run(int operation);
  const std::vector<OperationTime>& times() const { return times_; }
  /// Fills with NaN all memory of the arena that holds nothing when a section is about to run, be it a loop's
  /// for the second time. For tests.
  void poison(int section);

  /// Asked before each operation; once it is set, run() throws Interrupted. Borrowed.
  const std::atomic<bool>* stop = nullptr;
  /// Gets every operation's time when set; borrowed.
  Trace* trace = nullptr;
  /// For tests: called before each operation; may throw.
  std::function<void(const Operation&)> before_operation;

 private:
  void check_workers() const;

  const Plan& plan_;
  std::vector<void*> externals_;
  Arena arena_;
  std::vector<std::unique_ptr<Kernel>> kernels_;
  std::vector<OperationTime> times_;
  std::vector<std::string> sections_;  // their names
};

}  // namespace gramflow
