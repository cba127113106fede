// Memory from lifetimes. The operations of all phases stand on one line: prologue, loop, the optimiser's
// step, epilogue. A tensor lives from the operation that makes it to the last one that reads it, with these
// exceptions:
//   - made in the prologue and read in the loop: until the step, since every iteration reads it again;
//   - made in the prologue and read in the epilogue: to the end, since previews run the epilogue again and
//   again;
//   - the canvas, its gradient and the losses: always.
// An operation that adds to its accumulator takes over the accumulator's memory; one that may overwrite an
// input does so when nobody reads the input afterwards. Tensors that share memory so form a group with one
// lifetime. Scratch lives for one operation.
//
// The line is one possible order; a parallel executor may run operations earlier. It must not do so before
// everyone is done with the memory: for each pair of groups that share bytes, every operation of the earlier
// group goes before the one that first writes the later group. These edges are added to those of the data.
#include "framework/compile/plan.h"

#include <algorithm>
#include <limits>
#include <set>

#include "framework/compile/passes.h"
#include "framework/tensor/arena.h"

namespace gramflow {
namespace {

class Planner {
 public:
  explicit Planner(Program program) { plan_.program = std::move(program); }

  Plan run() {
    find_ranges();
    find_uses();
    form_groups();
    place();
    connect();
    add_up();
    return std::move(plan_);
  }

 private:
  struct Group {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = 0;
    std::size_t bytes = 0;
    std::vector<int> users;  // operations
    int first_writer = -1;
    bool pinned = false;
  };

  std::vector<Operation>& operations() { return plan_.program.operations; }
  Phase phase_of(int operation) { return operations()[static_cast<std::size_t>(operation)].phase; }

  void find_ranges() {
    const auto count = [&](Phase phase) {
      return static_cast<std::size_t>(std::count_if(operations().begin(), operations().end(),
                                                    [&](const Operation& o) { return o.phase == phase; }));
    };
    plan_.prologue = {0, count(Phase::prologue)};
    plan_.loop = {plan_.prologue.end, plan_.prologue.end + count(Phase::loop)};
    plan_.epilogue = {plan_.loop.end, operations().size()};
    step_ = static_cast<std::int64_t>(plan_.loop.end);
    end_ = static_cast<std::int64_t>(operations().size()) + 1;
  }

  /// Place of an operation on the line; the optimiser's step stands between loop and epilogue.
  std::int64_t place_of(int operation) {
    return phase_of(operation) == Phase::epilogue ? operation + 1 : static_cast<std::int64_t>(operation);
  }

  void find_uses() {
    const std::size_t count = plan_.program.tensors.size();
    makers_.assign(count, -1);
    readers_.assign(count, {});
    for (int i = 0; i < static_cast<int>(operations().size()); ++i) {
      const Operation& operation = operations()[static_cast<std::size_t>(i)];
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) makers_[static_cast<std::size_t>(id)] = i;
      for (const TensorId id : operation.inputs)
        if (id != no_tensor) readers_[static_cast<std::size_t>(id)].push_back(i);
    }
  }

  bool is_pinned(TensorId id) const {
    const Program& program = plan_.program;
    return id == program.canvas || id == program.gradient ||
           std::any_of(program.losses.begin(), program.losses.end(),
                       [&](const LossTerm& term) { return term.tensor == id; });
  }

  bool may_take_over(TensorId input, TensorId output, int operation) {
    const auto index = static_cast<std::size_t>(input);
    if (is_pinned(input) || input == plan_.program.start || makers_[index] < 0) return false;
    if (phase_of(makers_[index]) != phase_of(operation)) return false;
    const auto& group = groups_[static_cast<std::size_t>(group_of_[index])];
    const bool read_later =
        std::any_of(group.users.begin(), group.users.end(), [&](int user) { return user > operation; });
    return !read_later && plan_.program.desc(input).bytes() == plan_.program.desc(output).bytes();
  }

  int new_group(TensorId id) {
    groups_.emplace_back();
    group_of_[static_cast<std::size_t>(id)] = static_cast<int>(groups_.size()) - 1;
    return group_of_[static_cast<std::size_t>(id)];
  }

  void join(TensorId id, int group_index) {
    Group& group = groups_[static_cast<std::size_t>(group_index)];
    const auto index = static_cast<std::size_t>(id);
    group_of_[index] = group_index;
    group.bytes = std::max(group.bytes, plan_.program.desc(id).bytes());
    if (makers_[index] >= 0) {
      if (group.users.empty()) group.first_writer = makers_[index];
      group.users.push_back(makers_[index]);
    }
    group.users.insert(group.users.end(), readers_[index].begin(), readers_[index].end());
    group.pinned = group.pinned || is_pinned(id);
  }

  void form_groups() {
    group_of_.assign(plan_.program.tensors.size(), -1);
    if (plan_.program.canvas != no_tensor) join(plan_.program.canvas, new_group(plan_.program.canvas));
    for (int i = 0; i < static_cast<int>(operations().size()); ++i) {
      const Operation& operation = operations()[static_cast<std::size_t>(i)];
      for (std::size_t k = 0; k < operation.outputs.size(); ++k) {
        const TensorId id = operation.outputs[k];
        if (id == no_tensor) continue;
        const auto input_at = [&](int slot) {
          return slot < 0 ? no_tensor : operation.inputs[static_cast<std::size_t>(slot)];
        };
        TensorId source = k == 0 ? input_at(operation.op->accumulator()) : no_tensor;
        if (source == no_tensor && k == 0) {
          const TensorId candidate = input_at(operation.op->overwritable());
          const bool once = std::count(operation.inputs.begin(), operation.inputs.end(), candidate) == 1;
          if (candidate != no_tensor && once && may_take_over(candidate, id, i)) source = candidate;
        }
        join(id, source == no_tensor ? new_group(id) : group_of_[static_cast<std::size_t>(source)]);
      }
    }
    for (std::size_t id = 0; id < group_of_.size(); ++id)
      if (group_of_[id] >= 0)
        extend(groups_[static_cast<std::size_t>(group_of_[id])], static_cast<TensorId>(id));
  }

  void extend(Group& group, TensorId id) {
    const auto index = static_cast<std::size_t>(id);
    const bool made_before_loop = makers_[index] >= 0 && phase_of(makers_[index]) == Phase::prologue;
    for (const int user : group.users) {
      group.first = std::min(group.first, place_of(user));
      group.last = std::max(group.last, place_of(user));
      if (!made_before_loop) continue;
      if (phase_of(user) == Phase::loop) group.last = std::max(group.last, step_);
      if (phase_of(user) == Phase::epilogue) group.last = end_;
    }
    if (id == plan_.program.start)
      group.last = std::max(group.last, static_cast<std::int64_t>(plan_.prologue.end));
    if (group.pinned) {
      group.first = 0;
      group.last = end_;
    }
  }

  void place() {
    std::vector<Lifetime> lifetimes;
    for (const Group& group : groups_) lifetimes.push_back({group.first, group.last, group.bytes});
    plan_.scratch_offsets.assign(operations().size(), Plan::no_offset);
    std::vector<std::pair<int, std::size_t>> scratch;  // operation, index of its lifetime
    for (int i = 0; i < static_cast<int>(operations().size()); ++i) {
      const Operation& operation = operations()[static_cast<std::size_t>(i)];
      const std::size_t bytes = operation.op->scratch_bytes(plan_.program.descs(operation.inputs));
      if (bytes == 0) continue;
      scratch.emplace_back(i, lifetimes.size());
      lifetimes.push_back({place_of(i), place_of(i), bytes});
    }
    arena_ = plan_arena(lifetimes);
    plan_.arena_bytes = arena_.bytes;
    plan_.offsets.assign(group_of_.size(), Plan::no_offset);
    for (std::size_t id = 0; id < group_of_.size(); ++id)
      if (group_of_[id] >= 0) plan_.offsets[id] = arena_.offsets[static_cast<std::size_t>(group_of_[id])];
    users_.reserve(lifetimes.size());
    for (const Group& group : groups_) users_.push_back({group.users, group.first_writer});
    for (const auto& [operation, lifetime] : scratch) {
      plan_.scratch_offsets[static_cast<std::size_t>(operation)] = arena_.offsets[lifetime];
      users_.push_back({{operation}, operation});
    }
  }

  void connect() {
    std::vector<std::set<int>> successors(operations().size());
    const auto edge = [&](int from, int to) {
      if (from < 0 || to < 0 || from == to || phase_of(from) != phase_of(to)) return;
      successors[static_cast<std::size_t>(from)].insert(to);
    };
    for (std::size_t id = 0; id < makers_.size(); ++id)
      for (const int reader : readers_[id]) edge(makers_[id], reader);
    // Within a group each tensor overwrites the one before it: everyone who knows the earlier goes first.
    for (std::size_t id = 0; id < makers_.size(); ++id) {
      if (group_of_[id] < 0 || makers_[id] < 0) continue;
      for (const int user : groups_[static_cast<std::size_t>(group_of_[id])].users)
        if (user < makers_[id]) edge(user, makers_[id]);
    }
    for (const auto& [earlier, later] : arena_.reused) {
      const auto& [writers, first_writer] = users_[later];
      for (const int user : users_[earlier].users) edge(user, first_writer);
    }
    plan_.predecessor_counts.assign(operations().size(), 0);
    plan_.successors.assign(operations().size(), {});
    for (std::size_t i = 0; i < successors.size(); ++i) {
      plan_.successors[i].assign(successors[i].begin(), successors[i].end());
      for (const int successor : successors[i])
        ++plan_.predecessor_counts[static_cast<std::size_t>(successor)];
    }
  }

  void add_up() {
    std::set<Resource*> resources;
    for (const Operation& operation : operations()) {
      if (operation.op->resource() != nullptr) resources.insert(operation.op->resource());
      plan_.transient_bytes = std::max(plan_.transient_bytes, operation.op->transient_bytes());
      if (operation.phase != Phase::loop) continue;
      const Cost cost = plan_.program.cost(operation);
      plan_.loop_cost.flops += cost.flops;
      plan_.loop_cost.bytes += cost.bytes;
    }
    for (const Resource* resource : resources) plan_.filter_bytes += resource->bytes();
    for (std::size_t id = 0; id < group_of_.size(); ++id)
      if (group_of_[id] >= 0) plan_.unshared_bytes += plan_.program.desc(static_cast<TensorId>(id)).bytes();
  }

  struct Users {
    std::vector<int> users;
    int first_writer;
  };

  Plan plan_;
  std::int64_t step_ = 0;
  std::int64_t end_ = 0;
  std::vector<int> makers_;
  std::vector<std::vector<int>> readers_;
  std::vector<int> group_of_;
  std::vector<Group> groups_;
  std::vector<Users> users_;  // by lifetime given to the arena
  ArenaPlan arena_;
};

}  // namespace

Plan make_plan(Program program) { return Planner(std::move(program)).run(); }

Plan compile(Program program) {
  if (!program.losses.empty()) differentiate(program);
  eliminate(program);
  fuse(program);
  rematerialise(program);
  schedule(program);
  return make_plan(std::move(program));
}

}  // namespace gramflow
