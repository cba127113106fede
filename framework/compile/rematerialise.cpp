// What lies longest in memory is what the first layers made: it waits for the whole way to the losses and
// back. Where making it again costs next to nothing, it is better forgotten. So an operation of the loop that
// reads the canvas alone (always there), makes a large tensor that going back wants, and costs little of an
// iteration is done a second time just before the first operation that goes back through it:
//
//   y = conv(canvas)   forward(y)   ...   backward(y, ...)
//   y = conv(canvas)   forward(y)   ...   y' = conv(canvas)   backward(y', ...)
//
// y and y' hold the same bits, and y dies before y' is made. With VGG-19 at its usual layers that is
// conv1_1, a hundredth of an iteration and a third of its memory.
#include <algorithm>

#include "framework/compile/passes.h"

namespace gramflow {
namespace {

constexpr std::size_t large = std::size_t{16} << 20;  ///< bytes; below nothing is gained
constexpr double cheap = 0.01;                        ///< of the loop's floating-point operations

class Rematerialiser {
 public:
  explicit Rematerialiser(Program& program)
      : program_(program), candidate_of_(program.tensors.size(), -1), replacements_(program.tensors.size()) {}

  void run() {
    find_candidates();
    if (candidates_.empty()) return;
    find_readers();
    for (Candidate& candidate : candidates_)
      if (candidate.read_forward && candidate.read_backward && !candidate.read_outside) repeat(candidate);
    insert();
  }

 private:
  struct Candidate {
    std::size_t operation;
    bool read_forward = false;
    bool read_backward = false;
    bool read_outside = false;  // it has to stay anyway
  };

  /// What is read instead of a tensor when going back, and which of repeated_ makes it.
  struct Replacement {
    TensorId tensor = no_tensor;
    std::size_t operation = 0;
  };

  /// What costs little, reads the canvas alone and makes something large.
  void find_candidates() {
    std::vector<double> flops(static_cast<std::size_t>(program_.sections()), 0);
    for (const Operation& operation : program_.operations)
      flops[static_cast<std::size_t>(operation.section)] += program_.cost(operation).flops;
    for (std::size_t i = 0; i < program_.operations.size(); ++i) {
      const Operation& operation = program_.operations[i];
      if (!is_loop(operation.section) || operation.backward || operation.op->has_effect()) continue;
      const TensorId canvas = program_.loops[static_cast<std::size_t>(loop_of(operation.section))].canvas;
      const TensorId made = operation.outputs.front();
      const bool from_canvas = std::all_of(operation.inputs.begin(), operation.inputs.end(),
                                           [&](TensorId id) { return id == canvas || id == no_tensor; });
      if (!from_canvas || made == no_tensor || program_.desc(made).bytes() < large) continue;
      if (program_.cost(operation).flops > cheap * flops[static_cast<std::size_t>(operation.section)])
        continue;
      candidate_of_[static_cast<std::size_t>(made)] = static_cast<int>(candidates_.size());
      candidates_.push_back({i});
    }
  }

  void find_readers() {
    for (const Operation& reader : program_.operations)
      for (const TensorId id : reader.inputs) {
        const int index = id == no_tensor ? -1 : candidate_of_[static_cast<std::size_t>(id)];
        if (index < 0) continue;
        Candidate& candidate = candidates_[static_cast<std::size_t>(index)];
        if (reader.section != program_.operations[candidate.operation].section)
          candidate.read_outside = true;
        else
          (reader.backward ? candidate.read_backward : candidate.read_forward) = true;
      }
  }

  /// The operation once more, with outputs of its own.
  void repeat(const Candidate& candidate) {
    Operation again = program_.operations[candidate.operation];
    again.label += " again";
    again.backward = true;
    again.repeated = true;
    for (TensorId& id : again.outputs) {
      if (id == no_tensor) continue;
      const Tensor tensor = program_.tensors[static_cast<std::size_t>(id)];
      Replacement& replacement = replacements_[static_cast<std::size_t>(id)];
      replacement = {program_.add_tensor(tensor.desc, tensor.name + " again"), repeated_.size()};
      id = replacement.tensor;
      program_.tensors.back().place = tensor.place;
    }
    repeated_.push_back(std::move(again));
  }

  /// All that goes back reads what is made again, which is made before the first of them.
  void insert() {
    std::vector<bool> inserted(repeated_.size(), false);
    std::vector<Operation> all;
    for (Operation& reader : program_.operations) {
      std::vector<std::size_t> due;
      if (reader.backward)
        for (TensorId& id : reader.inputs) {
          const Replacement by =
              id == no_tensor ? Replacement() : replacements_[static_cast<std::size_t>(id)];
          if (by.tensor == no_tensor) continue;
          if (!inserted[by.operation]) due.push_back(by.operation);
          inserted[by.operation] = true;
          id = by.tensor;
        }
      std::sort(due.begin(), due.end());
      for (const std::size_t number : due) all.push_back(std::move(repeated_[number]));
      all.push_back(std::move(reader));
    }
    program_.operations = std::move(all);
  }

  Program& program_;
  std::vector<Candidate> candidates_;
  std::vector<Operation> repeated_;
  // By tensor of the program as it was:
  std::vector<int> candidate_of_;  // who makes it; -1: no candidate
  std::vector<Replacement> replacements_;
};

}  // namespace

void rematerialise(Program& program) {
  Rematerialiser(program).run();
  eliminate(program);
}

}  // namespace gramflow
