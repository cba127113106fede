// Peephole fusion over the straight list. Each rule looks at one operation and at the operations that made
// its inputs; when it applies and the device runs what comes of it, the later operation takes the earlier one
// in, and eliminate() drops what is no longer read.
//
//   forward    Relu(Convolution)                         -> Convolution[relu]
//              Pool[max](Convolution[relu])              -> Convolution[relu, max pool]; y stays if someone
//              else reads it
//   backward   ReluBackward(ConvolutionBackward(...), m) -> ConvolutionBackward(..., m)
//              ConvolutionBackward(ReluBackward(PoolBackward(g, index), m)) -> ConvolutionBackward(g, index)
//                when pool and convolution were fused going forward: the index then also says where ReLU cut
//                off
#include <algorithm>
#include <initializer_list>
#include <map>

#include "framework/compile/passes.h"
#include "framework/ops/convolution.h"
#include "framework/ops/pool.h"
#include "framework/ops/relu.h"

namespace gramflow {
namespace {

class Fuser {
 public:
  Fuser(Program& program, const Devices& devices) : program_(program), devices_(devices) {}

  void run() {
    apply([this](Operation& operation) { return fuse_relu(operation); });
    apply([this](Operation& operation) { return fuse_pool(operation); });
    apply([this](Operation& operation) { return fuse_pooled_gradient(operation); });
    apply([this](Operation& operation) { return fuse_mask(operation); });
  }

 private:
  template <class Rule>
  void apply(Rule rule) {
    readers_ = count_readers(program_);
    makers_.assign(program_.tensors.size(), nullptr);
    for (Operation& operation : program_.operations)
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) makers_[static_cast<std::size_t>(id)] = &operation;
    for (Operation& operation : program_.operations) rule(operation);
    std::erase_if(program_.operations, [](const Operation& operation) { return operation.op == nullptr; });
  }

  template <class Kind>
  static const Kind* as(const Operation* operation) {
    return operation == nullptr ? nullptr : dynamic_cast<const Kind*>(operation->op.get());
  }
  Operation* maker(TensorId id) const {
    return id == no_tensor ? nullptr : makers_[static_cast<std::size_t>(id)];
  }
  int readers(TensorId id) const { return id == no_tensor ? 0 : readers_[static_cast<std::size_t>(id)]; }

  bool fuse_relu(Operation& operation) {
    if (as<Relu>(&operation) == nullptr) return false;
    Operation* convolution = maker(operation.inputs[0]);
    const auto* op = as<Convolution>(convolution);
    if (op == nullptr || op->relu() || readers(operation.inputs[0]) != 1) return false;
    const auto fused = std::make_shared<Convolution>(op->filter(), true);
    if (!runs(*fused, convolution->inputs, *convolution, {&operation})) return false;
    convolution->op = fused;
    convolution->outputs = operation.outputs;
    operation.op = nullptr;
    return true;
  }

  bool fuse_pool(Operation& operation) {
    const auto* pool = as<Pool>(&operation);
    if (pool == nullptr || pool->pool() != PoolKind::max) return false;
    Operation* convolution = maker(operation.inputs[0]);
    const auto* op = as<Convolution>(convolution);
    if (op == nullptr || !op->relu() || op->pool() ||
        convolution->outputs[Convolution::y] != operation.inputs[0])
      return false;
    const auto fused = std::make_shared<Convolution>(op->filter(), true, true);
    if (!runs(*fused, convolution->inputs, *convolution, {&operation})) return false;
    convolution->op = fused;
    convolution->outputs.resize(2, no_tensor);
    convolution->outputs.push_back(operation.outputs[Pool::y]);
    convolution->outputs.push_back(operation.outputs[Pool::index]);
    if (readers(operation.inputs[0]) == 1) convolution->outputs[Convolution::y] = no_tensor;
    operation.op = nullptr;
    return true;
  }

  bool fuse_pooled_gradient(Operation& operation) {
    if (as<ConvolutionBackward>(&operation) == nullptr ||
        operation.inputs[ConvolutionBackward::index] != no_tensor)
      return false;
    Operation* relu = maker(operation.inputs[ConvolutionBackward::gradient_of_output]);
    if (as<ReluBackward>(relu) == nullptr || relu->inputs[ReluBackward::accumulator_input] != no_tensor ||
        readers(relu->outputs[0]) != 1)
      return false;
    Operation* pool = maker(relu->inputs[ReluBackward::gradient_of_output]);
    if (as<PoolBackward>(pool) == nullptr || pool->inputs[PoolBackward::accumulator_input] != no_tensor ||
        readers(pool->outputs[0]) != 1 || pool->inputs[PoolBackward::index] == no_tensor)
      return false;
    // The index must be the fused one, which marks maxima that ReLU cut off.
    const auto* forward = as<Convolution>(maker(pool->inputs[PoolBackward::index]));
    if (forward == nullptr || !forward->pool()) return false;
    std::vector<TensorId> inputs = operation.inputs;
    inputs[ConvolutionBackward::gradient_of_output] = pool->inputs[PoolBackward::gradient_of_output];
    inputs[ConvolutionBackward::index] = pool->inputs[PoolBackward::index];
    if (!runs(*operation.op, inputs, operation, {relu, pool})) return false;
    operation.inputs = std::move(inputs);
    relu->op = nullptr;
    pool->op = nullptr;
    return true;
  }

  bool fuse_mask(Operation& operation) {
    if (as<ReluBackward>(&operation) == nullptr ||
        operation.inputs[ReluBackward::accumulator_input] != no_tensor)
      return false;
    Operation* convolution = maker(operation.inputs[ReluBackward::gradient_of_output]);
    if (as<ConvolutionBackward>(convolution) == nullptr || readers(convolution->outputs[0]) != 1 ||
        convolution->inputs[ConvolutionBackward::mask] != no_tensor)
      return false;
    std::vector<TensorId> inputs = convolution->inputs;
    inputs[ConvolutionBackward::mask] = operation.inputs[ReluBackward::mask];
    if (!runs(*convolution->op, inputs, *convolution, {&operation})) return false;
    convolution->inputs = std::move(inputs);
    convolution->outputs = operation.outputs;
    operation.op = nullptr;
    return true;
  }

  /// Whether the side of `taker` runs the fused op; those that it takes in must be on the same side.
  bool runs(const Op& fused, const std::vector<TensorId>& inputs, const Operation& taker,
            std::initializer_list<const Operation*> taken) const {
    return std::all_of(taken.begin(), taken.end(),
                       [&](const Operation* other) { return other->place == taker.place; }) &&
           devices_.at(taker.place).runs(fused, program_.descs(inputs));
  }

  Program& program_;
  const Devices& devices_;
  std::vector<int> readers_;
  std::vector<Operation*> makers_;
};

}  // namespace

void fuse(Program& program, const Devices& devices) {
  Fuser(program, devices).run();
  eliminate(program);
}

}  // namespace gramflow
