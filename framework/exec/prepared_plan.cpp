#include "framework/exec/prepared_plan.h"

#include <chrono>
#include <limits>
#include <set>

#include "framework/base/error.h"

namespace gramflow {
namespace {

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string located(const Operation& operation, const char* what) {
  const std::string place = operation.origin.span.to_string();
  return (place.empty() ? "" : place + ": ") + "node '" + operation.origin.node + "' (" + operation.label + "): " + what;
}

}  // namespace

PreparedPlan::PreparedPlan(const Plan& plan) : plan_(plan), arena_(plan.arena_bytes), times_(plan.program.operations.size()) {
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
    void* scratch = plan.scratch_offsets[i] == Plan::no_offset ? nullptr : arena_.data(plan.scratch_offsets[i]);
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
}

void PreparedPlan::poison() {
  // Everything that an iteration reads without having written it: canvas, what the prologue left, the optimiser's gradient.
  struct Kept {
    std::size_t begin, end;
  };
  std::vector<Kept> kept;
  const Program& program = plan_.program;
  std::vector<bool> made_in_loop(program.tensors.size(), false);
  for (const Operation& operation : program.operations)
    if (operation.phase == Phase::loop)
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) made_in_loop[static_cast<std::size_t>(id)] = true;
  const auto keep = [&](TensorId id) {
    if (id == no_tensor || plan_.offsets[static_cast<std::size_t>(id)] == Plan::no_offset) return;
    const std::size_t offset = plan_.offsets[static_cast<std::size_t>(id)];
    kept.push_back({offset, offset + program.desc(id).bytes()});
  };
  keep(program.canvas);
  keep(program.gradient);
  for (const LossTerm& term : program.losses) keep(term.tensor);
  for (const Operation& operation : program.operations)
    if (operation.phase != Phase::prologue)
      for (const TensorId id : operation.inputs)
        if (id != no_tensor && !made_in_loop[static_cast<std::size_t>(id)] && id != program.canvas) {
          const bool epilogue_made = [&] {
            for (const Operation& other : program.operations)
              if (other.phase == Phase::epilogue)
                for (const TensorId made : other.outputs)
                  if (made == id) return true;
            return false;
          }();
          if (!epilogue_made) keep(id);
        }
  auto* bytes = static_cast<unsigned char*>(arena_.data(0));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t at = 0; at + sizeof(float) <= arena_.size(); at += sizeof(float)) {
    bool hold = false;
    for (const Kept& range : kept) hold = hold || (at + sizeof(float) > range.begin && at < range.end);
    if (!hold) __builtin_memcpy(bytes + at, &nan, sizeof nan);
  }
}

}  // namespace gramflow
