// Memory from lifetimes. The operations of all sections stand on one line, with two places more for each
// loop: where its canvas gets its start, and the optimiser's step at the end of an iteration. A tensor lives
// from the operation that makes it to the last one that reads it, with these exceptions:
//   - made before a loop and read in it or later: to the end of the loop's turn, since every iteration and
//   every
//     preview comes by again. A turn ends with the step or, further down the line, with the last operation of
//     its previews, which are operations of the section behind the loop;
//   - losses: always.
// An operation that adds to its accumulator takes over the accumulator's memory; one that may overwrite an
// input does so when nobody reads the input afterwards. Tensors that share memory so form a group with one
// lifetime. Scratch lives for one operation. Canvases, gradients and states are external: the line only says
// how long they are needed.
//
// The line is one possible order; a parallel executor may run operations of a section earlier. It must not do
// so before everyone is done with the memory: for each pair of groups of which one has bytes right after the
// other, every operation of the earlier group goes before the one that first writes the later group. These
// edges are added to those of the data; from pair to pair they order all who ever have a byte.
#include "framework/compile/plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "framework/base/parallel.h"
#include "framework/ops/transfer.h"
#include "framework/tensor/arena_plan.h"

namespace gramflow {
namespace {

constexpr std::int64_t nowhere = -1;

class Planner {
 public:
  Planner(Program program, const Devices& devices) {
    plan_.program = std::move(program);
    plan_.devices = devices;
  }

  Plan run() {
    plan_.workers = worker_limit();
    find_sections();
    find_uses();
    find_previews();
    form_groups();
    place();
    place_externals();
    connect();
    add_up();
    return std::move(plan_);
  }

 private:
  struct Group {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = nowhere;
    std::size_t bytes = 0;
    std::vector<int> users;  // operations
    int first_user = std::numeric_limits<int>::max();
    int last_user = -1;
    int first_writer = -1;
    Place place = Place::device;
    std::size_t offset = 0;
    bool always = false;
    int external = -1;
  };

  const std::vector<Operation>& operations() const { return plan_.program.operations; }
  const std::vector<Loop>& loops() const { return plan_.program.loops; }
  int section_of(int operation) const { return operations()[static_cast<std::size_t>(operation)].section; }

  void find_sections() {
    std::size_t at = 0;
    for (int section = 0; section < plan_.program.sections(); ++section) {
      const std::size_t begin = at;
      while (at < operations().size() && operations()[at].section == section) ++at;
      plan_.sections.push_back({begin, at});
    }
    end_ = static_cast<std::int64_t>(operations().size() + 2 * loops().size());
  }

  std::int64_t place_of(int operation) const { return operation + section_of(operation); }
  std::int64_t begin_of(std::size_t loop) const {
    return static_cast<std::int64_t>(plan_.sections[2 * loop + 1].begin + 2 * loop);
  }
  std::int64_t step_of(std::size_t loop) const {
    return static_cast<std::int64_t>(plan_.sections[2 * loop + 1].end + 2 * loop + 1);
  }

  void find_previews() {
    std::vector<int> seen(operations().size(), -1);  // the last preview that has the operation
    for (std::size_t k = 0; k < loops().size(); ++k) {
      const auto& range = plan_.sections[2 * k + 2];
      std::map<std::int64_t, std::vector<int>> wanted;  // by period
      for (std::size_t i = range.begin; i < range.end; ++i)
        if (operations()[i].every > 0 && operations()[i].op->has_effect())
          wanted[operations()[i].every].push_back(static_cast<int>(i));
      turn_end_.push_back(step_of(k));
      for (auto& [every, effects] : wanted) {
        const auto number = static_cast<int>(plan_.previews.size());
        plan_.previews.push_back({static_cast<int>(k), every, with_makers(std::move(effects), seen, number)});
        turn_end_.back() = std::max(turn_end_.back(), place_of(plan_.previews.back().operations.back()));
      }
    }
  }

  /// Operations and what makes what they read, within their section, in order.
  std::vector<int> with_makers(std::vector<int> wanted, std::vector<int>& seen, int mark) const {
    for (const int operation : wanted) seen[static_cast<std::size_t>(operation)] = mark;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      for (const TensorId id : operations()[static_cast<std::size_t>(wanted[i])].inputs) {
        const int maker = id == no_tensor ? -1 : makers_[static_cast<std::size_t>(id)];
        if (maker < 0 || section_of(maker) != section_of(wanted[0])) continue;
        if (std::exchange(seen[static_cast<std::size_t>(maker)], mark) != mark) wanted.push_back(maker);
      }
    std::sort(wanted.begin(), wanted.end());
    return wanted;
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
    started_by_.assign(count, -1);
    made_outside_.assign(count, 0);
    for (int k = 0; k < static_cast<int>(loops().size()); ++k) {
      const Loop& loop = loops()[static_cast<std::size_t>(k)];
      if (loop.start != no_tensor) started_by_[static_cast<std::size_t>(loop.start)] = k;
      for (const TensorId id : {loop.canvas, loop.state})
        if (id != no_tensor) made_outside_[static_cast<std::size_t>(id)] = loop_section(k);
    }
    keeps_memory_.assign(count, false);
    const auto keep = [&](TensorId id) {
      if (id != no_tensor) keeps_memory_[static_cast<std::size_t>(id)] = true;
    };
    for (const Loop& loop : loops()) {
      for (const TensorId id : {loop.canvas, loop.gradient, loop.start}) keep(id);
      for (const LossTerm& loss : loop.losses) keep(loss.tensor);
    }
  }

  bool may_take_over(TensorId input, TensorId output, int operation) {
    const auto index = static_cast<std::size_t>(input);
    if (keeps_memory_[index] || makers_[index] < 0) return false;
    if (section_of(makers_[index]) != section_of(operation)) return false;
    const auto& group = groups_[static_cast<std::size_t>(group_of_[index])];
    return group.last_user <= operation &&
           plan_.program.desc(input).bytes() == plan_.program.desc(output).bytes();
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
    const auto use = [&group](int operation) {
      group.users.push_back(operation);
      group.first_user = std::min(group.first_user, operation);
      group.last_user = std::max(group.last_user, operation);
    };
    if (makers_[index] >= 0) {
      if (group.users.empty()) group.first_writer = makers_[index];
      use(makers_[index]);
    }
    for (const int reader : readers_[index]) use(reader);
  }

  void form_groups() {
    group_of_.assign(plan_.program.tensors.size(), -1);
    source_.assign(plan_.program.tensors.size(), no_tensor);
    for (const Loop& loop : loops())
      for (const TensorId id : {loop.canvas, loop.state}) join(id, new_group(id));
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
        source_[static_cast<std::size_t>(id)] = source;
        join(id, source == no_tensor ? new_group(id) : group_of_[static_cast<std::size_t>(source)]);
      }
    }
    for (std::size_t k = 0; k < loops().size(); ++k) note_host_uses(k);
    for (std::size_t id = 0; id < group_of_.size(); ++id)
      if (group_of_[id] >= 0) extend(static_cast<TensorId>(id));
  }

  Group* group(TensorId id) {
    const int index = id == no_tensor ? -1 : group_of_[static_cast<std::size_t>(id)];
    return index < 0 ? nullptr : &groups_[static_cast<std::size_t>(index)];
  }

  /// What the driver of the run reads and writes of a loop.
  void note_host_uses(std::size_t k) {
    const auto live = [](Group* group, std::int64_t first, std::int64_t last) {
      if (group == nullptr) return;
      group->first = std::min(group->first, first);
      group->last = std::max(group->last, last);
    };
    const auto external = [&](TensorId id) {
      if (Group* there = group(id)) {
        there->external = static_cast<int>(plan_.externals.size());
        plan_.externals.push_back({id, there->bytes, 0, 0});
      }
    };
    const Loop& loop = loops()[k];
    live(group(loop.start), begin_of(k), begin_of(k));
    live(group(loop.canvas), begin_of(k), turn_end_[k]);
    live(group(loop.gradient), begin_of(k), step_of(k));
    live(group(loop.state), begin_of(k), step_of(k));
    if (loop.moments_from >= 0)
      live(group(loops()[static_cast<std::size_t>(loop.moments_from)].state), begin_of(k), begin_of(k));
    for (const TensorId id : {loop.canvas, loop.gradient, loop.state}) external(id);
    for (const LossTerm& loss : loop.losses)
      if (Group* there = group(loss.tensor)) there->always = true;
  }

  void extend(TensorId id) {
    Group& group = *this->group(id);
    const auto index = static_cast<std::size_t>(id);
    if (group.last_user >= 0) {
      group.first = std::min(group.first, place_of(group.first_user));
      group.last = std::max(group.last, place_of(group.last_user));
    }
    int last_section = started_by_[index] >= 0 ? loop_section(started_by_[index]) : -1;
    if (!readers_[index].empty()) last_section = std::max(last_section, section_of(readers_[index].back()));
    const int made = makers_[index] >= 0 ? section_of(makers_[index]) : made_outside_[index];
    // The last loop that it lives through, or up to; turns end one after the other.
    for (int k = (last_section - 1) / 2; last_section > 0 && k >= made / 2; --k)
      if (made < loop_section(k) || last_section > loop_section(k)) {
        group.last = std::max(group.last, turn_end_[static_cast<std::size_t>(k)]);
        break;
      }
    if (group.always) {
      group.first = 0;
      group.last = end_;
    }
  }

  void place() {
    plan_.scratch_offsets.assign(operations().size(), Plan::no_offset);
    for (const Operation& operation : operations())
      plan_.scratch_bytes.push_back(
          is_transfer(operation) ? 0
                                 : plan_.devices.at(operation.place)
                                       .scratch_bytes(*operation.op, plan_.program.descs(operation.inputs)));
    plan_.offsets.assign(group_of_.size(), Plan::no_offset);
    plan_.external_of.assign(group_of_.size(), -1);
    for (std::size_t id = 0; id < group_of_.size(); ++id)
      if (group_of_[id] >= 0) {
        Group& group = groups_[static_cast<std::size_t>(group_of_[id])];
        plan_.external_of[id] = group.external;
        group.place = plan_.program.tensors[id].place;
      }
    plan_.arena_bytes = place_on(Place::device);
    plan_.host_arena_bytes = place_on(Place::host);
    for (std::size_t id = 0; id < group_of_.size(); ++id)
      if (group_of_[id] >= 0 && plan_.external_of[id] < 0)
        plan_.offsets[id] = groups_[static_cast<std::size_t>(group_of_[id])].offset;
  }

  /// The arena of one side; returns its bytes.
  std::size_t place_on(Place place) {
    std::vector<Lifetime> lifetimes;
    std::vector<Users> users;  // by lifetime
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const Group& group = groups_[i];
      if (group.place != place) continue;
      members.push_back(i);
      lifetimes.push_back({group.first, group.last, group.external >= 0 ? 0 : group.bytes});
      users.push_back({group.users, group.first_writer});
    }
    std::vector<std::pair<std::size_t, std::size_t>> scratch;  // operation, index of its lifetime
    for (std::size_t i = 0; i < operations().size(); ++i) {
      if (plan_.scratch_bytes[i] == 0 || operations()[i].place != place) continue;
      const auto operation = static_cast<int>(i);
      scratch.emplace_back(i, lifetimes.size());
      lifetimes.push_back({place_of(operation), place_of(operation), plan_.scratch_bytes[i]});
      users.push_back({{operation}, operation});
    }
    ArenaPlan arena = plan_arena(lifetimes);
    for (std::size_t i = 0; i < members.size(); ++i) groups_[members[i]].offset = arena.offsets[i];
    for (const auto& [operation, lifetime] : scratch)
      plan_.scratch_offsets[operation] = arena.offsets[lifetime];
    handovers_.push_back({std::move(users), std::move(arena.reused)});
    return arena.bytes;
  }

  static bool is_transfer(const Operation& operation) {
    return dynamic_cast<const Transfer*>(operation.op.get()) != nullptr;
  }

  /// From places to sections, and how much is needed at a time.
  void place_externals() {
    std::vector<int> section_at(static_cast<std::size_t>(end_) + 1, plan_.program.sections() - 1);
    for (int i = 0; i < static_cast<int>(operations().size()); ++i)
      section_at[static_cast<std::size_t>(place_of(i))] = section_of(i);
    for (std::size_t k = 0; k < loops().size(); ++k)
      for (const std::int64_t place : {begin_of(k), step_of(k)})
        section_at[static_cast<std::size_t>(place)] = loop_section(static_cast<int>(k));
    std::vector<std::size_t> needed(static_cast<std::size_t>(plan_.program.sections()), 0);
    for (const Group& group : groups_) {
      if (group.external < 0) continue;
      Plan::External& external = plan_.externals[static_cast<std::size_t>(group.external)];
      external.first = section_at[static_cast<std::size_t>(group.first)];
      external.last = section_at[static_cast<std::size_t>(group.last)];
      for (int section = external.first; section <= external.last; ++section)
        needed[static_cast<std::size_t>(section)] += external.bytes;
    }
    plan_.external_bytes = *std::max_element(needed.begin(), needed.end());
  }

  void connect() {
    plan_.successors.assign(operations().size(), {});
    for (std::size_t id = 0; id < makers_.size(); ++id)
      for (const int reader : readers_[id]) edge(makers_[id], reader);
    // What takes over memory overwrites what was there: everyone who knows that goes first.
    for (std::size_t id = 0; id < makers_.size(); ++id) {
      if (source_[id] == no_tensor) continue;
      const auto source = static_cast<std::size_t>(source_[id]);
      edge(makers_[source], makers_[id]);
      for (const int reader : readers_[source]) edge(reader, makers_[id]);
    }
    for (const auto& [users, reused] : handovers_)
      for (std::size_t begin = 0, end = 0; begin < reused.size(); begin = end) {
        const std::size_t earlier = reused[begin].first;
        std::vector<int> writers;
        for (; end < reused.size() && reused[end].first == earlier; ++end)
          writers.push_back(users[reused[end].second].first_writer);
        hand_over(users[earlier].users, std::move(writers));
      }
    for (std::vector<int>& list : plan_.successors) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
    }
  }

  void edge(int from, int to) {
    if (from < 0 || to < 0 || from == to || section_of(from) != section_of(to)) return;
    plan_.successors[static_cast<std::size_t>(from)].push_back(to);
  }

  /// All users go before all writers. Where many would meet many, the writers begin one after the other
  /// instead, and only the first waits for the users.
  void hand_over(const std::vector<int>& users, std::vector<int> writers) {
    constexpr std::size_t many = 32;
    const int section = section_of(*std::max_element(users.begin(), users.end()));
    std::erase_if(writers, [&](int writer) { return section_of(writer) != section; });
    std::sort(writers.begin(), writers.end());
    const bool in_line = users.size() > many && writers.size() > many;
    for (std::size_t i = 0; i < writers.size(); ++i)
      if (in_line && i > 0)
        edge(writers[i - 1], writers[i]);
      else
        for (const int user : users) edge(user, writers[i]);
  }

  void add_up() {
    plan_.loop_costs.resize(loops().size());
    plan_.transfer_bytes.assign(loops().size(), 0);
    for (const Operation& operation : operations()) {
      const bool transfer = is_transfer(operation);
      if (!transfer)
        plan_.transient_bytes =
            std::max(plan_.transient_bytes, plan_.devices.at(operation.place).heap_bytes(*operation.op));
      if (!is_loop(operation.section)) continue;
      const auto loop = static_cast<std::size_t>(loop_of(operation.section));
      const Cost cost = plan_.program.cost(operation);
      plan_.loop_costs[loop].flops += cost.flops;
      plan_.loop_costs[loop].bytes += cost.bytes;
      if (transfer)
        plan_.transfer_bytes[loop] += static_cast<double>(plan_.program.desc(operation.inputs[0]).bytes());
    }
    plan_.filter_bytes = list_filters(Place::device, plan_.filters);
    plan_.host_filter_bytes = list_filters(Place::host, plan_.host_filters);
    for (std::size_t id = 0; id < group_of_.size(); ++id)
      if (group_of_[id] >= 0 && plan_.external_of[id] < 0)
        plan_.unshared_bytes += plan_.program.desc(static_cast<TensorId>(id)).bytes();
  }

  /// Each once, in the order of their first use; returns their bytes.
  std::size_t list_filters(Place place, std::vector<FilterUse>& filters) {
    std::map<const FilterSource*, std::size_t> known;
    for (const Operation& operation : operations()) {
      const std::shared_ptr<const FilterSource> filter = operation.op->filter();
      if (filter == nullptr || operation.place != place) continue;
      const auto [at, fresh] = known.emplace(filter.get(), filters.size());
      if (fresh) filters.push_back({filter, false});
      FilterUse& use = filters[at->second];
      use.backward = use.backward || operation.op->filters_backward();
    }
    std::size_t bytes = 0;
    for (const FilterUse& use : filters) bytes += plan_.devices.at(place).packed_bytes(use);
    return bytes;
  }

  struct Users {
    std::vector<int> users;
    int first_writer;
  };

  Plan plan_;
  std::int64_t end_ = 0;
  std::vector<std::int64_t> turn_end_;  // by loop
  std::vector<int> makers_;
  std::vector<std::vector<int>> readers_;
  std::vector<int> started_by_;     // by tensor: the last loop that starts from it; -1 none
  std::vector<int> made_outside_;   // by tensor that no operation makes: the loop's section
  std::vector<bool> keeps_memory_;  // by tensor: nobody takes its memory over
  std::vector<int> group_of_;
  std::vector<TensorId> source_;  // by tensor: whose memory it took over
  std::vector<Group> groups_;
  /// Who has memory when, and which lifetimes come right after which, in one arena.
  struct Handover {
    std::vector<Users> users;
    std::vector<std::pair<std::size_t, std::size_t>> reused;
  };
  std::vector<Handover> handovers_;
};

}  // namespace

Plan make_plan(Program program, const Devices& devices) { return Planner(std::move(program), devices).run(); }

}  // namespace gramflow
