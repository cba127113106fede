// Reverse-mode differentiation of a straight list of operations.
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

class Differentiator final : public GradientBuilder {
 public:
  explicit Differentiator(Program& program) : program_(program), pending_(program.tensors.size()) {}

  void run() {
    find_dependents();
    const std::size_t forward_count = program_.operations.size();
    for (const LossTerm& loss : program_.losses) seeds_.push_back(loss.tensor);
    for (std::size_t i = forward_count; i-- > 0;) visit(i);
    program_.gradient = materialise(program_.canvas);
    if (program_.gradient == no_tensor) throw std::logic_error("no loss depends on the canvas");
    // Backward operations belong to the loop, before the epilogue.
    const auto epilogue =
        std::find_if(program_.operations.begin(), program_.operations.end(),
                     [](const Operation& operation) { return operation.phase == Phase::epilogue; });
    program_.operations.insert(epilogue, emitted_.begin(), emitted_.end());
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

  void find_dependents() {
    depends_.assign(program_.tensors.size(), false);
    depends_[static_cast<std::size_t>(program_.canvas)] = true;
    for (const Operation& operation : program_.operations) {
      const bool any = std::any_of(operation.inputs.begin(), operation.inputs.end(), [&](TensorId id) {
        return id != no_tensor && depends_[static_cast<std::size_t>(id)];
      });
      if (any)
        for (const TensorId id : operation.outputs) depends_[static_cast<std::size_t>(id)] = true;
    }
  }

  void visit(std::size_t position) {
    position_ = position;
    if (current().phase != Phase::loop) return;
    bool reached = false;
    gradients_.clear();
    for (const TensorId id : std::vector<TensorId>(current().outputs)) {
      gradients_.push_back(materialise(id));
      reached = reached || gradients_.back() != no_tensor ||
                std::find(seeds_.begin(), seeds_.end(), id) != seeds_.end();
    }
    if (reached) OpPtr(current().op)->gradient(*this);
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
      operation.phase = Phase::loop;
      operation.backward = true;
      for (const TensorDesc& made : operation.op->infer(program_.descs(operation.inputs)))
        operation.outputs.push_back(program_.add_tensor(made, operation.label));
      sum = operation.outputs[0];
      emitted_.push_back(std::move(operation));
    }
    return sum;
  }

  Program& program_;
  std::vector<std::vector<Contribution>> pending_;  // by tensor of the forward program
  std::vector<bool> depends_;
  std::vector<TensorId> seeds_;
  std::vector<Operation> emitted_;
  std::vector<TensorId> gradients_;  // of the current operation's outputs
  std::size_t position_ = 0;
};

}  // namespace

void differentiate(Program& program) { Differentiator(program).run(); }

}  // namespace gramflow
