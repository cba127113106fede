#pragma once
// Two ways to run the operations of a plan, which agree to the bit.
#include <memory>
#include <string_view>
#include <vector>

#include "framework/exec/prepared_plan.h"

namespace gramflow {

/// Made once per PreparedPlan, which must outlive it, inside the ThreadScope of the run; used by one thread.
class Executor {
 public:
  virtual ~Executor() = default;
  /// A set of operations of one section, in the plan's order, to be run together. Whatever else they depend on
  /// has been run before. Returns its number.
  virtual int add(std::vector<int> operations) = 0;
  /// Runs a set and waits for it. The first exception of an operation is rethrown once all running operations
  /// have ended; the set can be run again. Allocates nothing after the first run.
  virtual void run(int set) = 0;
};

/// One operation after the other: the reference. Operations still use all threads inside.
std::unique_ptr<Executor> make_serial_executor(PreparedPlan& plan);
/// A TBB flow graph with one continue_node an operation; independent operations overlap.
std::unique_ptr<Executor> make_flow_executor(PreparedPlan& plan);

enum class ExecutorKind { serial, flow };
std::unique_ptr<Executor> make_executor(ExecutorKind kind, PreparedPlan& plan);

}  // namespace gramflow
