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

namespace gramflow {

/// When an operation ran and for how long, as told by a steady clock in nanoseconds.
struct OperationTime {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

class PreparedPlan {
 public:
  /// Allocates, reads and packs the weights, makes the kernels. `externals`: memory of the host for each of
  /// plan.externals, of its bytes, aligned to 64. `plan` and that memory must outlive it. To be called inside
  /// the ThreadScope of the run, which must not be wider than the plan's. Throws RunError and
  /// MissingResource.
  /// `asked_to_stop` is heard between two weights that are read: Interrupted. Borrowed for the call.
  ///
  /// A device that can reach the host's memory works on the externals themselves. For any other they are
  /// copies of the device's, brought up to date by refresh() and fetch().
  PreparedPlan(const Plan& plan, std::span<void* const> externals,
               const std::atomic<bool>* asked_to_stop = nullptr);
  PreparedPlan(const PreparedPlan&) = delete;
  PreparedPlan& operator=(const PreparedPlan&) = delete;

  const Plan& plan() const { return plan_; }
  /// Memory of the host: of externals, and of all that lies there anyway; nothing for what only the device has.
  TensorView view(TensorId tensor) const;
  /// A copy of any tensor's contents.
  void read(TensorId tensor, void* to) const;
  /// Scalars (f64) that are read together, again and again: made once, in the order of `tensors`.
  class Scalars {
   public:
    Scalars() = default;
    Scalars(const PreparedPlan& plan, std::span<const TensorId> tensors);
    /// As the operations that have run left them. Allocates nothing. Good until the next call.
    const std::vector<double>& read();

   private:
    struct Side {
      Device* device = nullptr;
      std::vector<DeviceView> views;
      std::vector<std::size_t> slots;
      std::vector<double> values;
    };
    std::vector<Side> sides_;
    std::vector<double> values_;
  };
  /// After an external was written on the host, before operations read it.
  void refresh(TensorId external);
  /// After operations have written an external, before the host reads it.
  void fetch(TensorId external);
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
  DeviceView device_view(TensorId tensor) const;
  Place place_of(TensorId tensor) const {
    return plan_.program.tensors[static_cast<std::size_t>(tensor)].place;
  }
  Device& device_of(TensorId tensor) const { return plan_.devices.at(place_of(tensor)); }
  Buffer* arena(Place place) const { return (place == Place::device ? arena_ : host_arena_).get(); }
  std::unique_ptr<Kernel> make_transfer(const Operation& operation) const;

  const Plan& plan_;
  std::vector<void*> externals_;                           // on the host
  std::vector<std::unique_ptr<Buffer>> external_buffers_;  // the device's; those borrowed are the same memory
  std::vector<bool> copied_;                               // by external: the device has a buffer of its own
  std::unique_ptr<Buffer> arena_, host_arena_;
  std::vector<std::unique_ptr<Kernel>> kernels_;
  std::vector<OperationTime> times_;
  std::vector<std::string> sections_;  // their names
};

}  // namespace gramflow
