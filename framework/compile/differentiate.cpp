// Reverse-mode differentiation of the straight list of operations of a loop.
//
// Walk the loop backwards. Each operation whose output has a gradient contributes to the gradients of its
// inputs. A contribution is not emitted at once but kept with its tensor until the operation that made the
// tensor is reached: only then are all of them known, and they are emitted one after the other, each adding
// to the memory of the one before. Those from the side (a loss or Gram on a tapped layer) come first and the
// trunk's convolution last, since its epilogue can add and apply the ReLU mask in the same pass. Emitting
// late also keeps gradients short-lived.
#include <algorithm>
#include <stdexcept>

#include "framework/compile/passes.h"

namespace gramflow {
namespace {

struct Contribution {
  OpPtr op;
  std::vector<TensorId> inputs;
  GradientBuilder::Route route;
  std::size_t operation;  // whose gradient it is part of
};

/// Of one loop.
class Differentiator final : public GradientBuilder {
 public:
  Differentiator(Program& program, int loop)
      : program_(program),
        loop_(program.loops[static_cast<std::size_t>(loop)]),
        section_(loop_section(loop)),
        pending_(program.tensors.size()) {}

  void run() {
    const auto before = [](const Operation& operation, int section) { return operation.section < section; };
    const auto& operations = program_.operations;
    const auto first = std::lower_bound(operations.begin(), operations.end(), section_, before);
    const auto end = std::lower_bound(first, operations.end(), section_ + 1, before);
    begin_ = static_cast<std::size_t>(first - operations.begin());
    const auto end_index = static_cast<std::size_t>(end - operations.begin());
    seeds_.assign(program_.tensors.size(), false);
    for (const LossTerm& loss : loop_.losses) seeds_[static_cast<std::size_t>(loss.tensor)] = true;
    find_dependents(end_index);
    for (std::size_t i = end_index; i-- > begin_;) visit(i);
    loop_.gradient = materialise(loop_.canvas);
    if (loop_.gradient == no_tensor) throw std::logic_error("no loss depends on the canvas");
    program_.operations.insert(program_.operations.begin() + static_cast<std::ptrdiff_t>(end_index),
                               emitted_.begin(), emitted_.end());
  }

  TensorId input(int index) const override { return current().inputs[static_cast<std::size_t>(index)]; }
  TensorId output(int index) const override { return current().outputs[static_cast<std::size_t>(index)]; }
  TensorId output_gradient(int index) override { return gradients_[static_cast<std::size_t>(index)]; }
  bool wanted(int input_index) const override {
    const TensorId id = input(input_index);
    return id != no_tensor && depends_[static_cast<std::size_t>(id)];
  }
  const TensorDesc& desc(TensorId tensor) const override { return program_.desc(tensor); }
  void contribute(int input_index, OpPtr op, std::vector<TensorId> inputs, Route route) override {
    pending_[static_cast<std::size_t>(input(input_index))].push_back(
        {std::move(op), std::move(inputs), route, position_});
  }

 private:
  const Operation& current() const { return program_.operations[position_]; }

  void find_dependents(std::size_t end) {
    depends_.assign(program_.tensors.size(), false);
    depends_[static_cast<std::size_t>(loop_.canvas)] = true;
    for (std::size_t i = begin_; i < end; ++i) {
      const Operation& operation = program_.operations[i];
      const bool any = std::any_of(operation.inputs.begin(), operation.inputs.end(), [&](TensorId id) {
        return id != no_tensor && depends_[static_cast<std::size_t>(id)];
      });
      if (any)
        for (const TensorId id : operation.outputs) depends_[static_cast<std::size_t>(id)] = true;
    }
  }

  void visit(std::size_t position) {
    position_ = position;
    bool reached = false;
    gradients_.clear();
    for (const TensorId id : std::vector<TensorId>(current().outputs)) {
      gradients_.push_back(materialise(id));
      reached = reached || gradients_.back() != no_tensor || seeds_[static_cast<std::size_t>(id)];
    }
    const std::vector<TensorId>& inputs = current().inputs;
    const bool moved = std::any_of(inputs.begin(), inputs.end(), [&](TensorId id) {
      return id != no_tensor && depends_[static_cast<std::size_t>(id)];
    });
    if (!reached || !moved) return;
    if (!current().op->differentiable()) throw NoGradient(current());
    OpPtr(current().op)->gradient(*this);
  }

  TensorId materialise(TensorId tensor) {
    std::vector<Contribution> contributions = std::move(pending_[static_cast<std::size_t>(tensor)]);
    std::stable_partition(contributions.begin(), contributions.end(),
                          [](const Contribution& contribution) { return contribution.route == Route::side; });
    TensorId sum = no_tensor;
    for (Contribution& contribution : contributions) {
      const Operation& source = program_.operations[contribution.operation];
      Operation operation;
      operation.op = contribution.op;
      operation.inputs = std::move(contribution.inputs);
      if (sum != no_tensor) operation.inputs[static_cast<std::size_t>(contribution.op->accumulator())] = sum;
      operation.origin = source.origin;
      operation.label = source.label + " backward";
      operation.section = section_;
      operation.backward = true;
      for (const TensorDesc& made : operation.op->infer(program_.descs(operation.inputs)))
        operation.outputs.push_back(program_.add_tensor(made, operation.label));
      sum = operation.outputs[0];
      emitted_.push_back(std::move(operation));
    }
    return sum;
  }

  Program& program_;
  Loop& loop_;
  int section_;
  std::size_t begin_ = 0;                           // of the loop's operations
  std::vector<std::vector<Contribution>> pending_;  // by tensor of the forward program
  std::vector<bool> depends_;                       // on the canvas, by tensor
  std::vector<bool> seeds_;                         // is a loss, by tensor
  std::vector<Operation> emitted_;
  std::vector<TensorId> gradients_;  // of the current operation's outputs
  std::size_t position_ = 0;
};

}  // namespace

NoGradient::NoGradient(const Operation& operation)
    : std::runtime_error(std::string(operation.op->kind()) + " has no gradient"), origin_(operation.origin) {}

void differentiate(Program& program) {
  for (std::size_t loop = 0; loop < program.loops.size(); ++loop)
    if (!program.loops[loop].losses.empty()) Differentiator(program, static_cast<int>(loop)).run();
}

}  // namespace gramflow
