#include "framework/exec/executor.h"

namespace gramflow {
namespace {

class SerialExecutor final : public Executor {
 public:
  explicit SerialExecutor(PreparedPlan& plan) : plan_(plan) {}
  int add(std::vector<int> operations) override {
    sets_.push_back(std::move(operations));
    return static_cast<int>(sets_.size()) - 1;
  }
  void run(int set) override {
    for (const int operation : sets_[static_cast<std::size_t>(set)]) plan_.run(operation);
  }

 private:
  PreparedPlan& plan_;
  std::vector<std::vector<int>> sets_;
};

}  // namespace

std::unique_ptr<Executor> make_serial_executor(PreparedPlan& plan) {
  return std::make_unique<SerialExecutor>(plan);
}

std::unique_ptr<Executor> make_executor(ExecutorKind kind, PreparedPlan& plan) {
  return kind == ExecutorKind::serial ? make_serial_executor(plan) : make_flow_executor(plan);
}

}  // namespace gramflow
