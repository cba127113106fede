// One continue_node an operation, one edge for every successor the plan names: data it reads, memory it waits
// for. The graph of a set is built once and run again and again.
//
// Exceptions never reach TBB: a cancelled flow graph must be reset and keeps only one exception. Instead the
// first one is kept here, the operations that have not begun yet do nothing, the messages run through to the
// end, and the graph is ready for the next run.
#include <oneapi/tbb/flow_graph.h>

#include <atomic>
#include <deque>
#include <exception>
#include <mutex>

#include "framework/base/thread_sanitizer.h"
#include "framework/exec/executor.h"

namespace gramflow {
namespace {

namespace flow = oneapi::tbb::flow;

class OperationSet {
 public:
  OperationSet(PreparedPlan& plan, const std::vector<int>& operations) : start_(graph_) {
    const Plan& static_plan = plan.plan();
    std::vector<int> node_of(static_plan.program.operations.size(), -1);
    for (const int operation : operations) {
      node_of[static_cast<std::size_t>(operation)] = static_cast<int>(nodes_.size());
      nodes_.emplace_back(graph_, [this, &plan, operation, node = nodes_.size()](const flow::continue_msg&) {
        for (const std::size_t earlier : waits_for_[node]) happens_after(&nodes_[earlier]);
        happens_after(&start_);
        perform(plan, operation);
        happens_before(&nodes_[node]);
        happens_before(&graph_);
      });
    }
    waits_for_.resize(nodes_.size());
    std::vector<bool> has_predecessor(nodes_.size(), false);
    for (const int operation : operations)
      for (const int successor : static_plan.successors[static_cast<std::size_t>(operation)]) {
        const int to = node_of[static_cast<std::size_t>(successor)];
        if (to < 0) continue;
        flow::make_edge(nodes_[static_cast<std::size_t>(node_of[static_cast<std::size_t>(operation)])],
                        nodes_[static_cast<std::size_t>(to)]);
        has_predecessor[static_cast<std::size_t>(to)] = true;
        if (under_thread_sanitizer)
          waits_for_[static_cast<std::size_t>(to)].push_back(
              static_cast<std::size_t>(node_of[static_cast<std::size_t>(operation)]));
      }
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (!has_predecessor[i]) flow::make_edge(start_, nodes_[i]);
  }

  void run() {
    failed_ = false;
    failure_ = nullptr;
    happens_before(&start_);
    start_.try_put(flow::continue_msg());
    graph_.wait_for_all();
    happens_after(&graph_);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void perform(PreparedPlan& plan, int operation) {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      plan.run(operation);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      failed_ = true;
    }
  }

  flow::graph graph_;
  flow::broadcast_node<flow::continue_msg> start_;
  std::deque<flow::continue_node<flow::continue_msg>> nodes_;
  std::vector<std::vector<std::size_t>> waits_for_;  ///< of each node, for thread_sanitizer.h only
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

class FlowExecutor final : public Executor {
 public:
  explicit FlowExecutor(PreparedPlan& plan) : plan_(plan) {}
  int add(std::vector<int> operations) override {
    sets_.push_back(std::make_unique<OperationSet>(plan_, operations));
    return static_cast<int>(sets_.size()) - 1;
  }
  void run(int set) override { sets_[static_cast<std::size_t>(set)]->run(); }

 private:
  PreparedPlan& plan_;
  std::vector<std::unique_ptr<OperationSet>> sets_;
};

}  // namespace

std::unique_ptr<Executor> make_flow_executor(PreparedPlan& plan) {
  return std::make_unique<FlowExecutor>(plan);
}

}  // namespace gramflow
