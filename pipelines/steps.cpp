#include "pipelines/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace gramflow {
namespace {

class Summary {
 public:
  Summary(const Graph& graph, const Program& program)
      : graph_(graph), program_(program), makers_(program.tensors.size(), -1) {}

  std::vector<Step> run() {
    for (const Operation& operation : program_.operations) {
      add_optimizers(operation.section);
      const int step =
          step_at(operation.origin.node, operation.backward && !operation.repeated, operation.section);
      ++steps_[static_cast<std::size_t>(step)].operations;
      for (const TensorId id : operation.inputs) connect(id, step);
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) makers_[static_cast<std::size_t>(id)] = step;
    }
    add_optimizers(program_.sections());
    for (std::size_t k = 0; k < optimizers_.size(); ++k) connect(program_.loops[k].gradient, optimizers_[k]);
    for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i].from.assign(from_[i].begin(), from_[i].end());
    return std::move(steps_);
  }

 private:
  using Key = std::tuple<std::string, bool, int>;

  int step_at(const std::string& id, bool backward, int section) {
    const auto [found, fresh] = index_.emplace(Key{id, backward, section}, static_cast<int>(steps_.size()));
    if (fresh) {
      const int node = graph_.find(id);
      const std::string type = node < 0 ? "" : graph_.nodes[static_cast<std::size_t>(node)].type->name;
      steps_.push_back({id, type, section, program_.section_name(section), backward, 0, {}});
      from_.emplace_back();
    }
    return found->second;
  }

  /// Those whose loops have begun where `section` does.
  void add_optimizers(int section) {
    for (std::size_t k = optimizers_.size(); k < program_.loops.size(); ++k) {
      const int own = loop_section(static_cast<int>(k));
      if (own > section) return;
      optimizers_.push_back(step_at(program_.loops[k].node, false, own));
      connect(program_.loops[k].start, optimizers_.back());
      makers_[static_cast<std::size_t>(program_.loops[k].canvas)] = optimizers_.back();
    }
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
  std::vector<int> optimizers_;  // their steps, by loop
};

std::string name_of(const Step& step) { return step.node + (step.backward ? " backward" : ""); }

}  // namespace

std::vector<Step> steps_of(const Graph& graph, const Program& program) {
  return Summary(graph, program).run();
}

std::string to_string(const std::vector<Step>& steps) {
  std::size_t section_width = 8, name_width = 0, type_width = 0;
  for (const Step& step : steps) {
    section_width = std::max(section_width, step.section_name.size());
    name_width = std::max(name_width, name_of(step).size());
    type_width = std::max(type_width, step.type.size());
  }
  std::string text;
  for (const Step& step : steps) {
    std::string line = fmt::format("{:{}}  {:{}}  {:{}}  ", step.section_name, section_width, name_of(step),
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
