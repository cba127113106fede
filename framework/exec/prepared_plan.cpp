#include "framework/exec/prepared_plan.h"

#include <chrono>
#include <cstring>
#include <set>

#include "framework/base/error.h"

namespace gramflow {
namespace {

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string located(const Operation& operation, const char* what) {
  const std::string place = operation.origin.span.to_string();
  return (place.empty() ? "" : place + ": ") + "node '" + operation.origin.node + "' (" + operation.label +
         "): " + what;
}

}  // namespace

PreparedPlan::PreparedPlan(const Plan& plan)
    : plan_(plan), arena_(plan.arena_bytes), times_(plan.program.operations.size()) {
  std::set<Resource*> acquired;
  for (const Operation& operation : plan.program.operations) {
    Resource* resource = operation.op->resource();
    if (resource != nullptr && acquired.insert(resource).second) resource->acquire();
  }
  for (std::size_t i = 0; i < plan.program.operations.size(); ++i) {
    const Operation& operation = plan.program.operations[i];
    std::vector<TensorView> inputs, outputs;
    for (const TensorId id : operation.inputs) inputs.push_back(view(id));
    for (const TensorId id : operation.outputs) outputs.push_back(view(id));
    void* scratch =
        plan.scratch_offsets[i] == Plan::no_offset ? nullptr : arena_.data(plan.scratch_offsets[i]);
    kernels_.push_back(operation.op->prepare({inputs, outputs, scratch}));
  }
}

TensorView PreparedPlan::view(TensorId tensor) const {
  if (tensor == no_tensor) return {};
  const std::size_t offset = plan_.offsets[static_cast<std::size_t>(tensor)];
  if (offset == Plan::no_offset) return {};
  return {arena_.data(offset), plan_.program.desc(tensor)};
}

void PreparedPlan::run(int index) {
  const auto i = static_cast<std::size_t>(index);
  const Operation& operation = plan_.program.operations[i];
  times_[i].start = now();
  try {
    if (before_operation) before_operation(operation);
    kernels_[i]->run();
  } catch (const MissingResource& problem) {
    throw MissingResource(located(operation, problem.what()));
  } catch (const std::exception& problem) {
    throw RunError(located(operation, problem.what()));
  }
  times_[i].end = now();
  if (trace != nullptr)
    trace->record(operation.label, operation.backward ? "backward" : name_of(operation.phase).data(),
                  times_[i].start, times_[i].end);
}

void PreparedPlan::poison() {
  // What an iteration reads without having written it, and what the optimiser and the reports read between
  // iterations.
  const Program& program = plan_.program;
  std::set<TensorId> kept = {program.canvas, program.gradient};
  for (const LossTerm& term : program.losses) kept.insert(term.tensor);
  std::set<TensorId> made_later;
  for (const Operation& operation : program.operations)
    if (operation.phase != Phase::prologue) {
      for (const TensorId id : operation.inputs)
        if (!made_later.contains(id)) kept.insert(id);
      made_later.insert(operation.outputs.begin(), operation.outputs.end());
    }
  std::vector<std::pair<TensorView, std::vector<std::byte>>> copies;
  for (const TensorId id : kept) {
    const TensorView here = view(id);
    if (!here) continue;
    const auto* bytes = static_cast<const std::byte*>(here.data);
    copies.emplace_back(here, std::vector<std::byte>(bytes, bytes + here.desc.bytes()));
  }
  arena_.poison();
  for (const auto& [here, bytes] : copies) std::memcpy(here.data, bytes.data(), bytes.size());
}

}  // namespace gramflow
