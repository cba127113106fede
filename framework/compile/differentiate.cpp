// Reverse-mode differentiation of the straight list of operations of a loop.
//
// Walk the loop backwards. Each operation whose output has a gradient contributes to the gradients of its
// inputs. A contribution is not emitted at once but kept with its tensor until the operation that made the
// tensor is reached: only then are all of them known, and they are emitted one after the other, each adding
// to the memory of the one before. Those from the side (a loss or Gram on a tapped layer) come first and the
// trunk's convolution last, since its epilogue can add and apply the ReLU mask in the same pass. Emitting
// late also keeps gradients short-lived.
#include <algorithm>
#include <iterator>
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

class Differentiator final : public GradientBuilder {
 public:
  explicit Differentiator(Program& program)
      : program_(program),
        pending_(program.tensors.size()),
        depends_(program.tensors.size(), false),
        seeds_(program.tensors.size(), false) {}

  /// The backward operations of one loop.
  std::vector<Operation> run(Loop& loop, int section) {
    section_ = section;
    emitted_.clear();
    const auto before = [](const Operation& operation, int value) { return operation.section < value; };
    const auto& operations = program_.operations;
    const auto first = std::lower_bound(operations.begin(), operations.end(), section_, before);
    const auto last = std::lower_bound(first, operations.end(), section_ + 1, before);
    const auto begin = static_cast<std::size_t>(first - operations.begin());
    const auto end = static_cast<std::size_t>(last - operations.begin());
    for (const LossTerm& loss : loop.losses) seeds_[static_cast<std::size_t>(loss.tensor)] = true;
    find_dependents(loop, begin, end);
    for (std::size_t i = end; i-- > begin;) visit(i);
    loop.gradient = materialise(loop.canvas);
    if (loop.gradient == no_tensor) throw std::logic_error("no loss depends on the canvas");
    forget(loop, begin, end);
    return std::move(emitted_);
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

  void find_dependents(const Loop& loop, std::size_t begin, std::size_t end) {
    depends_[static_cast<std::size_t>(loop.canvas)] = true;
    for (std::size_t i = begin; i < end; ++i) {
      const Operation& operation = program_.operations[i];
      const bool any = std::any_of(operation.inputs.begin(), operation.inputs.end(), [&](TensorId id) {
        return id != no_tensor && depends_[static_cast<std::size_t>(id)];
      });
      if (any)
        for (const TensorId id : operation.outputs) depends_[static_cast<std::size_t>(id)] = true;
    }
  }

  /// For the next loop; only what this one has touched, since there may be many.
  void forget(const Loop& loop, std::size_t begin, std::size_t end) {
    depends_[static_cast<std::size_t>(loop.canvas)] = false;
    for (std::size_t i = begin; i < end; ++i)
      for (const TensorId id : program_.operations[i].outputs) depends_[static_cast<std::size_t>(id)] = false;
    for (const LossTerm& loss : loop.losses) seeds_[static_cast<std::size_t>(loss.tensor)] = false;
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

  Program& program_;  // its operations stay as they are
  int section_ = 0;
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
  Differentiator differentiator(program);
  std::vector<std::vector<Operation>> backward(program.loops.size());
  for (std::size_t loop = 0; loop < program.loops.size(); ++loop)
    if (!program.loops[loop].losses.empty())
      backward[loop] = differentiator.run(program.loops[loop], loop_section(static_cast<int>(loop)));
  std::vector<Operation> all;
  auto next = program.operations.begin();
  for (std::size_t loop = 0; loop < program.loops.size(); ++loop) {
    for (; next != program.operations.end() && next->section <= loop_section(static_cast<int>(loop)); ++next)
      all.push_back(std::move(*next));
    std::move(backward[loop].begin(), backward[loop].end(), std::back_inserter(all));
  }
  std::move(next, program.operations.end(), std::back_inserter(all));
  program.operations = std::move(all);
}

}  // namespace gramflow
