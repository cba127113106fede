#include "framework/exec/prepared_plan.h"

#include <chrono>
#include <cstring>
#include <new>
#include <set>

#include "framework/base/error.h"
#include "framework/base/parallel.h"

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

PreparedPlan::PreparedPlan(const Plan& plan, std::span<void* const> externals,
                           const std::atomic<bool>* asked_to_stop)
    : plan_(plan),
      externals_(externals.begin(), externals.end()),
      arena_(plan.arena_bytes),
      times_(plan.program.operations.size()) {
  check_workers();
  if (externals_.size() != plan.externals.size())
    throw std::logic_error("the plan has another number of externals");
  for (int section = 0; section < plan.program.sections(); ++section)
    sections_.push_back(plan.program.section_name(section));
  std::set<Resource*> acquired;
  for (const Operation& operation : plan.program.operations) {
    Resource* resource = operation.op->resource();
    if (asked_to_stop != nullptr && asked_to_stop->load()) throw Interrupted();
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

void PreparedPlan::check_workers() const {
  if (worker_limit() > plan_.workers)
    throw std::logic_error("the plan is for " + std::to_string(plan_.workers) + " workers, and there are " +
                           std::to_string(worker_limit()));
}

TensorView PreparedPlan::view(TensorId tensor) const {
  if (tensor == no_tensor) return {};
  const int external = plan_.external_of[static_cast<std::size_t>(tensor)];
  if (external >= 0) return {externals_[static_cast<std::size_t>(external)], plan_.program.desc(tensor)};
  const std::size_t offset = plan_.offsets[static_cast<std::size_t>(tensor)];
  if (offset == Plan::no_offset) return {};
  return {arena_.data(offset), plan_.program.desc(tensor)};
}

void PreparedPlan::run(int index) {
  const auto i = static_cast<std::size_t>(index);
  const Operation& operation = plan_.program.operations[i];
  if (stop != nullptr && stop->load(std::memory_order_relaxed)) throw Interrupted();
  check_workers();
  times_[i].start = now();
  try {
    if (before_operation) before_operation(operation);
    kernels_[i]->run();
  } catch (const MissingResource& problem) {
    throw MissingResource(located(operation, problem.what()));
  } catch (const std::bad_alloc&) {
    throw RunError(located(operation, "there is not enough memory for it; a smaller 'size' needs less"));
  } catch (const std::exception& problem) {
    throw RunError(located(operation, problem.what()));
  }
  times_[i].end = now();
  if (trace != nullptr)
    trace->record(operation.label,
                  operation.backward ? "backward" : sections_[static_cast<std::size_t>(operation.section)],
                  times_[i].start, times_[i].end);
}

void PreparedPlan::poison(int section) {
  // What was made before, or before the loop, and is read from here on, and losses, which are read at any
  // time.
  const Program& program = plan_.program;
  std::vector<bool> made(program.tensors.size(), false);
  std::set<TensorId> kept;
  for (const Loop& loop : program.loops)
    for (const LossTerm& term : loop.losses) kept.insert(term.tensor);
  for (const Operation& operation : program.operations)
    if (operation.section < section)
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) made[static_cast<std::size_t>(id)] = true;
  const auto keep = [&](TensorId id) {
    if (id != no_tensor && made[static_cast<std::size_t>(id)]) kept.insert(id);
  };
  for (const Operation& operation : program.operations)
    if (operation.section >= section)
      for (const TensorId id : operation.inputs) keep(id);
  for (std::size_t k = static_cast<std::size_t>(loop_of(section + 1)); k < program.loops.size(); ++k)
    keep(program.loops[k].start);
  std::vector<std::pair<TensorView, std::vector<std::byte>>> copies;
  for (const TensorId id : kept) {
    const TensorView here = view(id);
    if (!here || plan_.external_of[static_cast<std::size_t>(id)] >= 0) continue;
    const auto* bytes = static_cast<const std::byte*>(here.data);
    copies.emplace_back(here, std::vector<std::byte>(bytes, bytes + here.desc.bytes()));
  }
  arena_.poison();
  for (const auto& [here, bytes] : copies) std::memcpy(here.data, bytes.data(), bytes.size());
}

}  // namespace gramflow
