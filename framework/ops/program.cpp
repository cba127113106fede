#include "framework/ops/program.h"

#include <algorithm>

#include <fmt/format.h>

namespace gramflow {

std::string Program::section_name(int section) const {
  const auto loop = static_cast<std::size_t>(loop_of(section));
  if (!is_loop(section) && loop == loops.size() && !loops.empty()) return "epilogue";
  const std::string name = is_loop(section) ? "loop" : "prologue";
  return loops.size() > 1 ? name + " of " + loops[loop].node : name;
}

std::vector<TensorDesc> Program::descs(const std::vector<TensorId>& ids) const {
  std::vector<TensorDesc> result;
  result.reserve(ids.size());
  for (const TensorId id : ids) result.push_back(desc(id));
  return result;
}

Cost Program::cost(const Operation& operation) const {
  return operation.op->cost(descs(operation.inputs), descs(operation.outputs));
}

TensorId Program::add_tensor(TensorDesc desc, std::string name) {
  tensors.push_back({desc, std::move(name), Place::device});
  return static_cast<TensorId>(tensors.size()) - 1;
}

Operation& Program::append(Operation operation) {
  const std::vector<TensorDesc> made = operation.op->infer(descs(operation.inputs));
  operation.outputs.clear();
  for (std::size_t i = 0; i < made.size(); ++i) {
    const std::string name = i == 0 ? operation.label : fmt::format("{}:{}", operation.label, i);
    operation.outputs.push_back(add_tensor(made[i], name));
  }
  operations.push_back(std::move(operation));
  return operations.back();
}

std::string Program::to_string() const {
  std::string text;
  std::vector<std::string> names;
  for (int section = 0; section < sections(); ++section) names.push_back(section_name(section));
  const auto list = [&](const std::vector<TensorId>& ids) {
    std::string out;
    for (const TensorId id : ids)
      out += fmt::format("{}{}", out.empty() ? "" : ", ", id == no_tensor ? "-" : fmt::format("%{}", id));
    return out;
  };
  for (const Operation& operation : operations) {
    const TensorId first = operation.outputs.empty() ? no_tensor : operation.outputs[0];
    text +=
        fmt::format("{:8} {:24} {} = {}({})", names[static_cast<std::size_t>(operation.section)],
                    operation.label, list(operation.outputs), operation.op->kind(), list(operation.inputs));
    if (const std::string attributes = operation.op->attributes(); !attributes.empty())
      text += fmt::format(" [{}]", attributes);
    if (first != no_tensor) text += fmt::format("  {}", desc(first).shape.to_string());
    text += '\n';
  }
  return text;
}

std::vector<int> canvases_behind(const Program& program, TensorId tensor) {
  std::vector<bool> behind(program.tensors.size(), false);
  if (tensor == no_tensor) return {};
  behind[static_cast<std::size_t>(tensor)] = true;
  const auto is_behind = [&](TensorId id) { return id != no_tensor && behind[static_cast<std::size_t>(id)]; };
  for (auto operation = program.operations.rbegin(); operation != program.operations.rend(); ++operation)
    if (std::any_of(operation->outputs.begin(), operation->outputs.end(), is_behind))
      for (const TensorId id : operation->inputs)
        if (id != no_tensor) behind[static_cast<std::size_t>(id)] = true;
  std::vector<int> loops;
  for (std::size_t k = 0; k < program.loops.size(); ++k)
    if (is_behind(program.loops[k].canvas)) loops.push_back(static_cast<int>(k));
  return loops;
}

}  // namespace gramflow
