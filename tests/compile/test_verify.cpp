// Plans are proven: what the planner makes is right, and what is spoilt is found.
#include <doctest/doctest.h>

#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/compile/passes.h"
#include "framework/compile/plan.h"
#include "framework/compile/verify.h"
#include "tests/compile/random_program.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

constexpr std::uint64_t programs = 300;

Plan plan_of(std::uint64_t seed) {
  ProgramSizes sizes;
  sizes.loops = static_cast<int>(seed % 4);
  sizes.operations = 3 + static_cast<int>(seed % 11);
  Program program = random_program(seed, sizes);
  if (seed % 2 == 0) eliminate(program);
  const Devices devices = any_devices(seed % 5 < 2);
  if (devices.apart()) {
    // Every third operation on the host.
    for (std::size_t i = 0; i < program.operations.size(); ++i) {
      Operation& operation = program.operations[i];
      operation.place = (seed + i) % 3 == 0 ? Place::host : Place::device;
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) program.tensors[static_cast<std::size_t>(id)].place = operation.place;
    }
    insert_transfers(program);
  }
  if (seed % 3 == 0) schedule(program);
  return make_plan(std::move(program), devices);
}

bool path(const Plan& plan, int from, int to) {
  if (from == to) return true;
  for (const int next : plan.successors[static_cast<std::size_t>(from)])
    if (next <= to && path(plan, next, to)) return true;
  return false;
}

int maker_of(const Plan& plan, TensorId id) {
  for (std::size_t i = 0; i < plan.program.operations.size(); ++i) {
    const std::vector<TensorId>& outputs = plan.program.operations[i].outputs;
    if (std::find(outputs.begin(), outputs.end(), id) != outputs.end()) return static_cast<int>(i);
  }
  return -1;
}

/// Of the tensors that `wanted` names, those with memory in the arena.
template <class Wanted>
std::vector<TensorId> tensors(const Plan& plan, Wanted wanted) {
  std::vector<TensorId> result;
  for (TensorId id = 0; id < static_cast<TensorId>(plan.program.tensors.size()); ++id)
    if (plan.offsets[static_cast<std::size_t>(id)] != Plan::no_offset && wanted(id)) result.push_back(id);
  return result;
}

bool reads(const Operation& operation, TensorId id) {
  return std::find(operation.inputs.begin(), operation.inputs.end(), id) != operation.inputs.end();
}

/// Made before a loop and read in it.
std::vector<TensorId> loop_inputs(const Plan& plan, int loop) {
  return tensors(plan, [&](TensorId id) {
    const int maker = maker_of(plan, id);
    if (maker < 0 ||
        plan.program.operations[static_cast<std::size_t>(maker)].section > straight_section(loop))
      return false;
    return std::any_of(plan.program.operations.begin(), plan.program.operations.end(),
                       [&](const Operation& o) { return o.section == loop_section(loop) && reads(o, id); });
  });
}

/// Offsets mean the same memory only then.
bool same_side(const Plan& plan, TensorId a, TensorId b) {
  return plan.program.tensors[static_cast<std::size_t>(a)].place ==
         plan.program.tensors[static_cast<std::size_t>(b)].place;
}

/// Puts what `operation` makes where another tensor lies.
bool lay_over(Plan& plan, int operation, TensorId victim) {
  const std::vector<TensorId>& outputs = plan.program.operations[static_cast<std::size_t>(operation)].outputs;
  const TensorId made = outputs.empty() ? no_tensor : outputs.front();
  if (made == no_tensor || made == victim ||
      plan.offsets[static_cast<std::size_t>(made)] == Plan::no_offset || !same_side(plan, made, victim))
    return false;
  plan.offsets[static_cast<std::size_t>(made)] = plan.offsets[static_cast<std::size_t>(victim)];
  plan.arena_bytes += plan.program.desc(made).bytes();
  plan.host_arena_bytes += plan.program.desc(made).bytes();
  return true;
}

}  // namespace

TEST_CASE("the plan of any program is proven") {
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    const std::vector<std::string> problems = verify(plan_of(seed));
    CAPTURE(seed);
    CHECK(problems == std::vector<std::string>());
  }
}

TEST_CASE("an edge that nothing else stands for cannot be taken out") {
  int taken = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Plan plan = plan_of(seed);
    for (std::size_t from = 0; from < plan.successors.size(); ++from)
      for (const int to : plan.successors[from]) {
        Plan spoilt = plan;
        std::erase(spoilt.successors[from], to);
        if (path(spoilt, static_cast<int>(from), to)) continue;
        ++taken;
        CHECK(!verify(spoilt).empty());
      }
  }
  CHECK(taken > 500);
}

TEST_CASE("a result may not lie where its operation still reads") {
  int laid = 0;
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    const Plan plan = plan_of(seed);
    for (int i = 0; i < static_cast<int>(plan.program.operations.size()); i += 3)
      for (const TensorId input : plan.program.operations[static_cast<std::size_t>(i)].inputs) {
        if (input == no_tensor || plan.offsets[static_cast<std::size_t>(input)] == Plan::no_offset) continue;
        Plan spoilt = plan;
        if (!lay_over(spoilt, i, input) || spoilt.offsets == plan.offsets) continue;
        ++laid;
        // Where the op may overwrite its input, laying it there is wrong only when somebody else needs that.
        const Op& op = *plan.program.operations[static_cast<std::size_t>(i)].op;
        if (op.overwritable() < 0 && op.accumulator() < 0) CHECK(!verify(spoilt).empty());
      }
  }
  CHECK(laid > 500);
}

TEST_CASE("what a loop reads again and again outlives the loop and its previews") {
  int in_loops = 0, in_previews = 0;
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    const Plan plan = plan_of(seed);
    for (int k = 0; k < static_cast<int>(plan.program.loops.size()); ++k)
      for (const TensorId input : loop_inputs(plan, k)) {
        // The lifetime cut short: the loop's last operation, or a preview, is given its memory.
        const Plan::Range& range = plan.sections[static_cast<std::size_t>(loop_section(k))];
        Plan spoilt = plan;
        if (range.end - range.begin > 1 && lay_over(spoilt, static_cast<int>(range.end) - 2, input)) {
          ++in_loops;
          CHECK(!verify(spoilt).empty());
        }
        for (const Plan::Preview& preview : plan.previews) {
          Plan previewed = plan;
          if (preview.loop != k || !lay_over(previewed, preview.operations.front(), input)) continue;
          ++in_previews;
          CHECK(!verify(previewed).empty());
        }
      }
  }
  CHECK(in_loops > 100);
  CHECK(in_previews > 100);
}

TEST_CASE("two offsets exchanged are found out whenever the two are needed at a time") {
  int swapped = 0;
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    const Plan plan = plan_of(seed);
    for (int i = 0; i < static_cast<int>(plan.program.operations.size()); ++i) {
      const Operation& operation = plan.program.operations[static_cast<std::size_t>(i)];
      if (operation.outputs.empty() || operation.inputs.empty() || operation.op->overwritable() >= 0 ||
          operation.op->accumulator() >= 0)
        continue;
      const auto a = static_cast<std::size_t>(operation.outputs[0]);
      const auto b = static_cast<std::size_t>(operation.inputs[0]);
      if (plan.offsets[a] == Plan::no_offset || plan.offsets[b] == Plan::no_offset ||
          !same_side(plan, operation.outputs[0], operation.inputs[0]))
        continue;
      Plan spoilt = plan;
      spoilt.offsets[b] =
          spoilt.offsets[a];  // half of an exchange: the input's maker now writes where the output goes
      ++swapped;
      CHECK(!verify(spoilt).empty());
    }
  }
  CHECK(swapped > 300);
}

TEST_CASE("memory from outside is there as long as it is used") {
  int cut = 0;
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    const Plan plan = plan_of(seed);
    for (std::size_t i = 0; i < plan.externals.size(); ++i) {
      for (const bool front : {true, false}) {
        Plan spoilt = plan;
        (front ? spoilt.externals[i].first : spoilt.externals[i].last) += front ? 1 : -1;
        if (spoilt.externals[i].first <= spoilt.externals[i].last) {
          const bool loop = is_loop(plan.externals[i].last);
          if (front || loop) CHECK(!verify(spoilt).empty());
        } else {
          CHECK(!verify(spoilt).empty());
        }
        ++cut;
      }
    }
  }
  CHECK(cut > 300);
}

TEST_CASE("a plan knows how many workers its scratch is for") {
  for (const int workers : {1, 3, 8}) {
    ThreadScope threads(workers);
    threads.execute([&] { CHECK(plan_of(5).workers == workers); });
  }
}
