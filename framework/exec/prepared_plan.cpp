#include "framework/exec/prepared_plan.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <set>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/ops/transfer.h"

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
      arena_(plan.devices.main->allocate(plan.arena_bytes)),
      host_arena_(plan.devices.apart() ? plan.devices.host->allocate(plan.host_arena_bytes) : nullptr),
      times_(plan.program.operations.size()) {
  check_workers();
  // What methods remember no operation touches.
  const auto is_state = [&](TensorId tensor) {
    return std::any_of(plan.program.loops.begin(), plan.program.loops.end(),
                       [tensor](const Loop& loop) { return loop.state == tensor; });
  };
  if (externals_.size() != plan.externals.size())
    throw std::logic_error("the plan has another number of externals");
  for (std::size_t i = 0; i < externals_.size(); ++i) {
    const std::size_t bytes = plan.externals[i].bytes;
    external_buffers_.push_back(plan.devices.main->borrow(externals_[i], bytes));
    copied_.push_back(external_buffers_.back() == nullptr);
    if (copied_.back() && !is_state(plan.externals[i].tensor))
      external_buffers_.back() = plan.devices.main->allocate(bytes);
  }
  for (int section = 0; section < plan.program.sections(); ++section)
    sections_.push_back(plan.program.section_name(section));
  for (const Place place : {Place::device, Place::host})
    for (const FilterUse& filter : place == Place::device ? plan.filters : plan.host_filters) {
      if (asked_to_stop != nullptr && asked_to_stop->load()) throw Interrupted();
      plan.devices.at(place).pack({&filter, 1});
    }
  for (std::size_t i = 0; i < plan.program.operations.size(); ++i) {
    const Operation& operation = plan.program.operations[i];
    if (dynamic_cast<const Transfer*>(operation.op.get()) != nullptr) {
      kernels_.push_back(make_transfer(operation));
      continue;
    }
    std::vector<DeviceView> inputs, outputs;
    for (const TensorId id : operation.inputs) inputs.push_back(device_view(id));
    for (const TensorId id : operation.outputs) outputs.push_back(device_view(id));
    DeviceView scratch;
    if (plan.scratch_offsets[i] != Plan::no_offset) {
      const auto bytes = static_cast<std::int64_t>(plan.scratch_bytes[i]);
      scratch = {arena(operation.place), plan.scratch_offsets[i], {{1, 1, bytes}, ElementType::u8}};
    }
    kernels_.push_back(plan.devices.at(operation.place).prepare(*operation.op, {inputs, outputs, scratch}));
  }
}

std::unique_ptr<Kernel> PreparedPlan::make_transfer(const Operation& operation) const {
  Device& device = *plan_.devices.main;
  const TensorId from = operation.inputs[0], to = operation.outputs[0];
  if (place_of(to) == Place::device)
    return make_kernel(
        [&device, host = view(from), there = device_view(to)] { device.upload(host.data, there); });
  return make_kernel(
      [&device, there = device_view(from), host = view(to)] { device.download(there, host.data); });
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
  const DeviceView here = device_view(tensor);
  return here ? device_of(tensor).host_view(here) : TensorView{};
}

DeviceView PreparedPlan::device_view(TensorId tensor) const {
  if (tensor == no_tensor) return {};
  const int external = plan_.external_of[static_cast<std::size_t>(tensor)];
  const TensorDesc& desc = plan_.program.desc(tensor);
  if (external >= 0) return {external_buffers_[static_cast<std::size_t>(external)].get(), 0, desc};
  const std::size_t offset = plan_.offsets[static_cast<std::size_t>(tensor)];
  if (offset == Plan::no_offset) return {};
  return {arena(place_of(tensor)), offset, desc};
}

void PreparedPlan::read(TensorId tensor, void* to) const {
  device_of(tensor).download(device_view(tensor), to);
}

PreparedPlan::Scalars::Scalars(const PreparedPlan& plan, std::span<const TensorId> tensors)
    : values_(tensors.size()) {
  for (const Place place : {Place::device, Place::host}) {
    Side side{&plan.plan_.devices.at(place), {}, {}, {}};
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (plan.place_of(tensors[i]) != place) continue;
      side.views.push_back(plan.device_view(tensors[i]));
      side.slots.push_back(i);
    }
    side.values.resize(side.views.size());
    if (!side.views.empty()) sides_.push_back(std::move(side));
  }
}

const std::vector<double>& PreparedPlan::Scalars::read() {
  for (Side& side : sides_) {
    side.device->read_scalars(side.views, side.values);
    for (std::size_t i = 0; i < side.slots.size(); ++i) values_[side.slots[i]] = side.values[i];
  }
  return values_;
}

void PreparedPlan::refresh(TensorId external) {
  if (copied_[static_cast<std::size_t>(plan_.external_of[static_cast<std::size_t>(external)])])
    plan_.devices.main->upload(view(external).data, device_view(external));
}

void PreparedPlan::fetch(TensorId external) {
  if (copied_[static_cast<std::size_t>(plan_.external_of[static_cast<std::size_t>(external)])])
    plan_.devices.main->download(device_view(external), view(external).data);
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
  std::vector<std::pair<TensorId, std::vector<std::byte>>> copies;
  for (const TensorId id : kept) {
    const DeviceView here = device_view(id);
    if (!here || plan_.external_of[static_cast<std::size_t>(id)] >= 0) continue;
    copies.emplace_back(id, std::vector<std::byte>(here.desc.bytes()));
    read(id, copies.back().second.data());
  }
  for (const Place place : {Place::device, Place::host}) {
    Buffer* buffer = arena(place);
    if (buffer == nullptr || buffer->bytes() == 0) continue;
    const std::vector<float> poison(buffer->bytes() / sizeof(float), std::numeric_limits<float>::quiet_NaN());
    const auto floats = static_cast<std::int64_t>(poison.size());
    plan_.devices.at(place).upload(poison.data(), {buffer, 0, {{1, 1, floats}, ElementType::f32}});
  }
  for (const auto& [id, bytes] : copies) device_of(id).upload(bytes.data(), device_view(id));
}

}  // namespace gramflow
