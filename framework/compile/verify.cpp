// Two kinds of statement, about bytes and not about lifetimes.
//
// Within a set of operations that run together (a section, or the previews of one period of a loop): any two
// operations with bytes in common, one of them writing, are joined by a path of edges of the section. And
// each reader gets what it is to get: its maker comes before it, and whoever else writes these bytes comes
// before the maker or after the reader. What was made before the set may not be overwritten before its
// readers are done.
//
// Between sets: what was made in one section and is read in a later one is written by nobody who may run in
// between. A loop's turn is: its canvas gets its start; then, again and again, its operations, the step, its
// previews. So for what is made before a loop and read in it or later, that is everybody in the loop and in
// its previews. The driver of a run counts as a reader: of starts where a loop begins, of losses and the
// gradient where it steps.
#include "framework/compile/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/compile/memory_order.h"
#include "framework/ops/transfer.h"

namespace gramflow {
namespace {

using namespace memory;

class Verifier {
 public:
  explicit Verifier(const Plan& plan) : plan_(plan), program_(plan.program) {}

  std::vector<std::string> run() {
    check_places();
    if (!problems_.empty()) return problems_;
    find_uses();
    for (int section = 0; section < program_.sections(); ++section)
      check_set(range_of(section), program_.section_name(section));
    for (const Plan::Preview& preview : plan_.previews)
      check_set(preview.operations, "the previews of " + loop(preview.loop).node);
    check_between();
    check_externals();
    return problems_;
  }

 private:
  template <class... Arguments>
  void report(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    constexpr std::size_t enough = 20;
    if (problems_.size() < enough)
      problems_.push_back(fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  const Loop& loop(int k) const { return program_.loops[static_cast<std::size_t>(k)]; }
  const Operation& operation(int i) const { return program_.operations[static_cast<std::size_t>(i)]; }
  const std::string& label(int i) const { return operation(i).label; }
  const std::string& name(TensorId id) const { return program_.tensors[static_cast<std::size_t>(id)].name; }

  bool has_memory(TensorId id) const {
    return id != no_tensor && (plan_.external_of[static_cast<std::size_t>(id)] >= 0 ||
                               plan_.offsets[static_cast<std::size_t>(id)] != Plan::no_offset);
  }
  Place place_of(TensorId id) const { return program_.tensors[static_cast<std::size_t>(id)].place; }
  static int arena_of(Place place) { return place == Place::device ? arena_space : host_space; }
  Bytes bytes_of(TensorId id) const {
    const auto index = static_cast<std::size_t>(id);
    const int external = plan_.external_of[index];
    const std::size_t begin = external >= 0 ? 0 : plan_.offsets[index];
    return {external >= 0 ? external : arena_of(program_.tensors[index].place), begin,
            begin + program_.desc(id).bytes()};
  }

  /// Everything lies inside of what there is, edges lead forward, sections are where they say.
  void check_places() {
    for (int id = 0; id < static_cast<int>(program_.tensors.size()); ++id) {
      if (!has_memory(id)) continue;
      const Bytes bytes = bytes_of(id);
      const std::size_t there = bytes.space == arena_space ? plan_.arena_bytes
                                : bytes.space == host_space
                                    ? plan_.host_arena_bytes
                                    : plan_.externals[static_cast<std::size_t>(bytes.space)].bytes;
      if (bytes.end > there) report("'{}' ends behind its memory", name(id));
    }
    for (std::size_t i = 0; i < program_.operations.size(); ++i) {
      const Operation& now = program_.operations[i];
      const std::size_t arena = now.place == Place::device ? plan_.arena_bytes : plan_.host_arena_bytes;
      if (plan_.scratch_bytes[i] > 0 && plan_.scratch_offsets[i] + plan_.scratch_bytes[i] > arena)
        report("the scratch of '{}' ends behind the arena", now.label);
      const Plan::Range& range = plan_.sections[static_cast<std::size_t>(now.section)];
      if (i < range.begin || i >= range.end) report("'{}' is not in its section", now.label);
      for (const int to : plan_.successors[i])
        if (to <= static_cast<int>(i)) report("an edge leads back from '{}'", now.label);
      for (const auto* list : {&now.inputs, &now.outputs})
        for (const TensorId id : *list)
          if (id != no_tensor && !has_memory(id)) report("'{}' of '{}' has no memory", name(id), now.label);
      const bool transfer = dynamic_cast<const Transfer*>(now.op.get()) != nullptr;
      for (const TensorId id : now.inputs)
        if (id != no_tensor && (place_of(id) == now.place) == transfer)
          report("'{}' reads '{}' on the other side", now.label, name(id));
      for (const TensorId id : now.outputs)
        if (id != no_tensor && place_of(id) != now.place)
          report("'{}' makes '{}' on the other side", now.label, name(id));
    }
  }

  void find_uses() {
    makers_.assign(program_.tensors.size(), -1);
    read_in_.assign(program_.tensors.size(), -1);
    const auto read = [&](TensorId id, int section) {
      if (id != no_tensor)
        read_in_[static_cast<std::size_t>(id)] = std::max(read_in_[static_cast<std::size_t>(id)], section);
    };
    for (int i = 0; i < static_cast<int>(program_.operations.size()); ++i) {
      for (const TensorId id : operation(i).outputs)
        if (id != no_tensor) makers_[static_cast<std::size_t>(id)] = i;
      for (const TensorId id : operation(i).inputs) read(id, operation(i).section);
    }
    for (int k = 0; k < static_cast<int>(program_.loops.size()); ++k) read(loop(k).start, loop_section(k));
  }

  std::vector<Access> accesses_of(const std::vector<int>& set) const {
    std::vector<Access> accesses;
    for (const int i : set) {
      for (const TensorId id : operation(i).inputs)
        if (id != no_tensor) accesses.push_back({bytes_of(id), i, false});
      for (const TensorId id : operation(i).outputs)
        if (id != no_tensor) accesses.push_back({bytes_of(id), i, true});
      const auto index = static_cast<std::size_t>(i);
      if (plan_.scratch_bytes[index] > 0)
        accesses.push_back({{arena_of(operation(i).place), plan_.scratch_offsets[index],
                             plan_.scratch_offsets[index] + plan_.scratch_bytes[index]},
                            i,
                            true});
    }
    return accesses;
  }

  void check_set(const std::vector<int>& set, const std::string& where) {
    const Order order(plan_, set);
    std::vector<Access> accesses = accesses_of(set);
    std::sort(accesses.begin(), accesses.end(), [](const Access& a, const Access& b) {
      return std::tie(a.bytes.space, a.bytes.begin) < std::tie(b.bytes.space, b.bytes.begin);
    });
    for (std::size_t a = 0; a < accesses.size(); ++a)
      for (std::size_t b = a + 1; b < accesses.size() && accesses[a].bytes.space == accesses[b].bytes.space &&
                                  accesses[b].bytes.begin < accesses[a].bytes.end;
           ++b) {
        if (!accesses[a].writes && !accesses[b].writes) continue;
        check_pair(order, accesses[a], accesses[b], where);
      }
    const Writes writes(accesses);
    for (const int reader : set)
      for (const TensorId id : operation(reader).inputs)
        if (id != no_tensor) check_read(order, writes, reader, id, where);
    check_host_reads(order, writes, set, where);
  }

  void check_pair(const Order& order, const Access& a, const Access& b, const std::string& where) {
    if (a.operation != b.operation) {
      if (!order.before(a.operation, b.operation) && !order.before(b.operation, a.operation))
        report("in {}: '{}' and '{}' share bytes and no path joins them", where, label(a.operation),
               label(b.operation));
      return;
    }
    // Of one operation only the result may lie where an input was, and only where the op says so.
    if (takes_over(a.operation, a.bytes) && a.bytes.begin == b.bytes.begin && a.bytes.end == b.bytes.end &&
        a.writes != b.writes)
      return;
    report("in {}: '{}' writes over its own memory", where, label(a.operation));
  }

  bool takes_over(int i, const Bytes& bytes) const {
    const Operation& now = operation(i);
    for (const int slot : {now.op->accumulator(), now.op->overwritable()}) {
      const TensorId id = slot < 0 ? no_tensor : now.inputs[static_cast<std::size_t>(slot)];
      if (id != no_tensor && bytes_of(id).overlaps(bytes)) return true;
    }
    return false;
  }

  void check_read(const Order& order, const Writes& writes, int reader, TensorId id,
                  const std::string& where) {
    const int maker = makers_[static_cast<std::size_t>(id)];
    const bool made_here = maker >= 0 && order.holds(maker);
    if (made_here && !order.before(maker, reader)) {
      report("in {}: '{}' may read '{}' before it is made", where, label(reader), name(id));
      return;
    }
    writes.for_each_overlapping(bytes_of(id), [&](int writer) {
      const bool fine = writer == reader || writer == maker || order.before(reader, writer) ||
                        (made_here && order.before(writer, maker));
      if (!fine)
        report("in {}: '{}' may write over '{}' before '{}' has read it", where, label(writer), name(id),
               label(reader));
    });
  }

  /// Losses and the gradient, which the driver reads when all of a loop's operations are done.
  void check_host_reads(const Order& order, const Writes& writes, const std::vector<int>& set,
                        const std::string& where) {
    for (const Loop& loop : program_.loops) {
      std::vector<TensorId> read = {loop.gradient};
      for (const LossTerm& loss : loop.losses) read.push_back(loss.tensor);
      for (const TensorId id : read) {
        const int maker = id == no_tensor ? -1 : makers_[static_cast<std::size_t>(id)];
        if (maker < 0 || set.empty() || operation(maker).section != operation(set.front()).section) continue;
        writes.for_each_overlapping(bytes_of(id), [&](int writer) {
          if (writer != maker && !order.before(writer, maker))
            report("in {}: '{}' may write over '{}' before the optimiser has read it", where, label(writer),
                   name(id));
        });
      }
    }
  }

  /// For each loop, what is made before its turn and read in it or later (or in it and later).
  void check_between() {
    for (int section = 0; section < program_.sections(); ++section) {
      check_passing(range_of(section), program_.section_name(section), [&](int made, int read) {
        return made < section && (is_loop(section) ? read >= section : read > section);
      });
    }
    for (const Plan::Preview& preview : plan_.previews) {
      const int section = loop_section(preview.loop);
      check_passing(preview.operations, "the previews of " + loop(preview.loop).node,
                    [&](int made, int read) {
                      return (made < section && read >= section) || (made == section && read > section);
                    });
    }
  }

  std::vector<int> range_of(int section) const {
    std::vector<int> operations;
    const Plan::Range& range = plan_.sections[static_cast<std::size_t>(section)];
    for (std::size_t i = range.begin; i < range.end; ++i) operations.push_back(static_cast<int>(i));
    return operations;
  }

  template <class Passes>
  void check_passing(const std::vector<int>& operations, const std::string& where, Passes passes) {
    const Writes writes(accesses_of(operations));
    for (int id = 0; id < static_cast<int>(program_.tensors.size()); ++id) {
      const int maker = makers_[static_cast<std::size_t>(id)];
      if (maker < 0 || !passes(operation(maker).section, read_in_[static_cast<std::size_t>(id)])) continue;
      writes.for_each_overlapping(bytes_of(id), [&](int writer) {
        report("in {}: '{}' writes over '{}', which is still to be read", where, label(writer), name(id));
      });
    }
  }

  const Plan::External* external(TensorId id) const {
    const int index = id == no_tensor ? -1 : plan_.external_of[static_cast<std::size_t>(id)];
    return index < 0 ? nullptr : &plan_.externals[static_cast<std::size_t>(index)];
  }
  void check_there(TensorId id, int section, const std::string& who) {
    const Plan::External* memory = external(id);
    if (memory != nullptr && (section < memory->first || section > memory->last))
      report("'{}' uses '{}' when its memory is not there", who, name(id));
  }

  /// Every canvas, gradient and state is external, written by no operation but the gradient's own, and there
  /// for everyone who uses it.
  void check_externals() {
    for (int k = 0; k < static_cast<int>(program_.loops.size()); ++k) {
      for (const TensorId id : {loop(k).canvas, loop(k).gradient, loop(k).state}) {
        if (id != no_tensor && external(id) == nullptr) report("'{}' has to be external", name(id));
        check_there(id, loop_section(k), loop(k).node);
      }
      check_there(loop(k).start, loop_section(k), loop(k).node);
      if (loop(k).moments_from >= 0)
        check_there(loop(loop(k).moments_from).state, loop_section(k), loop(k).node);
    }
    for (int i = 0; i < static_cast<int>(program_.operations.size()); ++i) {
      for (const TensorId id : operation(i).inputs) check_there(id, operation(i).section, label(i));
      for (const TensorId id : operation(i).outputs) {
        check_there(id, operation(i).section, label(i));
        for (const Loop& other : program_.loops)
          if (external(id) != nullptr &&
              (external(id)->tensor == other.canvas || external(id)->tensor == other.state))
            report("'{}' writes to '{}'", label(i), name(id));
      }
    }
    for (const Plan::Preview& preview : plan_.previews)
      for (const int i : preview.operations)
        if (operation(i).section != loop_section(preview.loop) + 1)
          report("'{}' is a preview of a loop that it does not follow", label(i));
  }

  const Plan& plan_;
  const Program& program_;
  std::vector<int> makers_;   // by tensor
  std::vector<int> read_in_;  // by tensor: the last section that reads it; -1 none
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> verify(const Plan& plan) { return Verifier(plan).run(); }

}  // namespace gramflow
