#include "pipelines/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace gramflow {
namespace {

class Summary {
 public:
  Summary(const Graph& graph, const Program& program)
      : graph_(graph), program_(program), makers_(program.tensors.size(), -1) {}

  std::vector<Step> run() {
    for (const Operation& operation : program_.operations) {
      if (operation.phase != Phase::prologue) add_optimizer();
      const int step =
          step_at({operation.origin.node, operation.backward && !operation.repeated}, operation.phase);
      ++steps_[static_cast<std::size_t>(step)].operations;
      for (const TensorId id : operation.inputs) connect(id, step);
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) makers_[static_cast<std::size_t>(id)] = step;
    }
    add_optimizer();
    if (optimizer_ >= 0) connect(program_.gradient, optimizer_);
    for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i].from.assign(from_[i].begin(), from_[i].end());
    return std::move(steps_);
  }

 private:
  using Key = std::pair<std::string, bool>;

  int step_at(const Key& key, Phase phase) {
    const auto [found, fresh] = index_.emplace(key, static_cast<int>(steps_.size()));
    if (fresh) {
      const int node = graph_.find(key.first);
      const std::string type = node < 0 ? "" : graph_.nodes[static_cast<std::size_t>(node)].type->name;
      steps_.push_back({key.first, type, phase, key.second, 0, {}});
      from_.emplace_back();
    }
    return found->second;
  }

  void add_optimizer() {
    if (optimizer_ >= 0 || program_.canvas == no_tensor) return;
    optimizer_ = step_at({graph_.nodes[static_cast<std::size_t>(graph_.optimizer)].id(), false}, Phase::loop);
    makers_[static_cast<std::size_t>(program_.canvas)] = optimizer_;
    connect(program_.start, optimizer_);
  }

  void connect(TensorId id, int step) {
    const int maker = id == no_tensor ? -1 : makers_[static_cast<std::size_t>(id)];
    if (maker >= 0 && maker != step) from_[static_cast<std::size_t>(step)].insert(maker);
  }

  const Graph& graph_;
  const Program& program_;
  std::vector<int> makers_;  // step by tensor
  std::vector<Step> steps_;
  std::vector<std::set<int>> from_;
  std::map<Key, int> index_;
  int optimizer_ = -1;
};

std::string name_of(const Step& step) { return step.node + (step.backward ? " backward" : ""); }

}  // namespace

std::vector<Step> steps_of(const Graph& graph, const Program& program) {
  return Summary(graph, program).run();
}

std::string to_string(const std::vector<Step>& steps) {
  std::size_t name_width = 0, type_width = 0;
  for (const Step& step : steps) {
    name_width = std::max(name_width, name_of(step).size());
    type_width = std::max(type_width, step.type.size());
  }
  std::string text;
  for (const Step& step : steps) {
    std::string line = fmt::format("{:8}  {:{}}  {:{}}  ", gramflow::name_of(step.phase), name_of(step),
                                   name_width, step.type, type_width);
    line += step.operations == 0
                ? "         "
                : fmt::format("{:3} op{}  ", step.operations, step.operations == 1 ? " " : "s");
    for (const int from : step.from)
      line += (from == step.from.front() ? "<- " : ", ") + name_of(steps[static_cast<std::size_t>(from)]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace gramflow
