// One continue_node an operation, one edge for every successor the plan names: data it reads, memory it waits
// for. The graph of a set is built once and run again and again. Who waits for whom may be told by a path
// through operations that are not in the set: those are in the graph and do nothing.
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
    if (operations.empty()) return;
    const auto first = static_cast<std::size_t>(operations.front());
    const std::size_t count = static_cast<std::size_t>(operations.back()) - first + 1;
    const auto for_each_successor = [&](std::size_t from, auto visit) {
      for (const int successor : plan.plan().successors[first + from])
        if (const std::size_t to = static_cast<std::size_t>(successor) - first; to < count) visit(to);
    };
    enum : char { outside, member, reached, between };
    std::vector<char> role(count, outside);
    for (const int operation : operations) role[static_cast<std::size_t>(operation) - first] = member;
    for (std::size_t i = 0; i < count; ++i)
      if (role[i] != outside)
        for_each_successor(i, [&](std::size_t to) {
          if (role[to] == outside) role[to] = reached;
        });
    for (std::size_t i = count; i-- > 0;)
      if (role[i] == reached)
        for_each_successor(i, [&](std::size_t to) {
          if (role[to] == member || role[to] == between) role[i] = between;
        });
    const auto takes_part = [&](std::size_t i) { return role[i] == member || role[i] == between; };

    constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<std::size_t> node_of(count, none);
    for (std::size_t i = 0; i < count; ++i) {
      if (!takes_part(i)) continue;
      node_of[i] = nodes_.size();
      const int operation = role[i] == member ? static_cast<int>(first + i) : -1;
      nodes_.emplace_back(graph_, [this, &plan, operation, node = nodes_.size()](const flow::continue_msg&) {
        for (const std::size_t earlier : waits_for_[node]) happens_after(&nodes_[earlier]);
        happens_after(&start_);
        if (operation >= 0) perform(plan, operation);
        happens_before(&nodes_[node]);
        happens_before(&graph_);
      });
    }
    waits_for_.resize(nodes_.size());
    std::vector<bool> has_predecessor(nodes_.size(), false);
    for (std::size_t i = 0; i < count; ++i)
      if (node_of[i] != none)
        for_each_successor(i, [&](std::size_t to) {
          if (node_of[to] == none) return;
          flow::make_edge(nodes_[node_of[i]], nodes_[node_of[to]]);
          has_predecessor[node_of[to]] = true;
          if (under_thread_sanitizer) waits_for_[node_of[to]].push_back(node_of[i]);
        });
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
