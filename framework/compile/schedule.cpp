// List scheduling inside each section: among the operations whose inputs are ready, take the one that leaves
// the least memory live; of equals, the first written. Greedy and cheap; programs are chains with short side
// branches, where it finds what one would do by hand: each Gram right after its tap, each target before the
// next picture is read.
//
// An operation's growth changes only when it becomes the last reader of a tensor, and only downwards. So the
// ready ones wait in a heap; when one is the last, it is put in again with its new growth, and what comes out
// of the heap with an outdated one is dropped.
#include <algorithm>
#include <queue>
#include <tuple>

#include "framework/compile/passes.h"

namespace gramflow {
namespace {

class Scheduler {
 public:
  explicit Scheduler(Program& program)
      : program_(program), reads_left_(count_readers(program)), tensors_(program.tensors.size()) {}

  /// Operations [begin, end) of the program, which share a section.
  void schedule(std::size_t begin, std::size_t end) {
    waiting_.assign(std::make_move_iterator(program_.operations.begin() + static_cast<std::ptrdiff_t>(begin)),
                    std::make_move_iterator(program_.operations.begin() + static_cast<std::ptrdiff_t>(end)));
    items_.assign(waiting_.size(), {});
    for (const Operation& operation : waiting_)
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) of(id).made_here = true;
    for (std::size_t i = 0; i < waiting_.size(); ++i) enter(i);
    for (std::size_t i = 0; i < waiting_.size(); ++i)
      if (items_[i].inputs_missing == 0) push(i);
    for (std::size_t slot = begin; slot < end; ++slot) {
      while (heap_.top().growth != items_[heap_.top().item].growth || items_[heap_.top().item].placed)
        heap_.pop();
      const std::size_t best = heap_.top().item;
      heap_.pop();
      place(best);
      program_.operations[slot] = std::move(waiting_[best]);
    }
    heap_ = {};
  }

 private:
  struct TensorState {
    bool made_here = false;            // by an operation of this section that is not placed yet
    std::vector<std::size_t> readers;  // of this section: each once
    std::size_t readers_left = 0;      // of those
    std::size_t sum_left = 0;          // of their numbers: when one is left, which
  };
  struct Item {
    std::size_t inputs_missing = 0;
    double growth = 0;
    bool placed = false;
  };
  struct Candidate {
    double growth;
    std::size_t item;
    bool operator<(const Candidate& other) const {  // the heap's top is the greatest
      return std::tie(other.growth, other.item) < std::tie(growth, item);
    }
  };

  TensorState& of(TensorId id) { return tensors_[static_cast<std::size_t>(id)]; }
  double bytes(TensorId id) const { return static_cast<double>(program_.desc(id).bytes()); }

  template <class Visit>
  static void for_each_input(const Operation& operation, Visit visit) {
    const std::vector<TensorId>& inputs = operation.inputs;
    for (auto id = inputs.begin(); id != inputs.end(); ++id)
      if (*id != no_tensor && std::find(inputs.begin(), id, *id) == id)
        visit(*id, static_cast<int>(std::count(id, inputs.end(), *id)));
  }

  void enter(std::size_t i) {
    Item& item = items_[i];
    for (const TensorId id : waiting_[i].outputs)
      if (id != no_tensor) item.growth += bytes(id);
    for_each_input(waiting_[i], [&](TensorId id, int reads) {
      TensorState& tensor = of(id);
      tensor.readers.push_back(i);
      ++tensor.readers_left;
      tensor.sum_left += i;
      if (tensor.made_here) ++item.inputs_missing;
      if (reads_left_[static_cast<std::size_t>(id)] == reads) item.growth -= bytes(id);
    });
  }

  void push(std::size_t i) { heap_.push({items_[i].growth, i}); }

  void place(std::size_t i) {
    items_[i].placed = true;
    for_each_input(waiting_[i], [&](TensorId id, int reads) {
      TensorState& tensor = of(id);
      reads_left_[static_cast<std::size_t>(id)] -= reads;
      tensor.sum_left -= i;
      if (--tensor.readers_left == 1) look_at_last(id, tensor.sum_left);
      if (tensor.readers_left == 0) tensor.readers.clear();
    });
    for (const TensorId id : waiting_[i].outputs) {
      if (id == no_tensor) continue;
      of(id).made_here = false;
      for (const std::size_t reader : of(id).readers)
        if (--items_[reader].inputs_missing == 0) push(reader);
    }
  }

  /// The operation that alone is left to read a tensor frees it, unless somebody after the section reads it.
  void look_at_last(TensorId id, std::size_t reader) {
    for_each_input(waiting_[reader], [&](TensorId input, int reads) {
      if (input != id || reads_left_[static_cast<std::size_t>(id)] != reads) return;
      items_[reader].growth -= bytes(id);
      if (items_[reader].inputs_missing == 0) push(reader);
    });
  }

  Program& program_;
  std::vector<int> reads_left_;  // by tensor, of all sections
  std::vector<TensorState> tensors_;
  std::vector<Operation> waiting_;
  std::vector<Item> items_;
  std::priority_queue<Candidate> heap_;
};

}  // namespace

void schedule(Program& program) {
  Scheduler scheduler(program);
  std::size_t begin = 0;
  while (begin < program.operations.size()) {
    std::size_t end = begin;
    while (end < program.operations.size() &&
           program.operations[end].section == program.operations[begin].section)
      ++end;
    scheduler.schedule(begin, end);
    begin = end;
  }
}

}  // namespace gramflow
