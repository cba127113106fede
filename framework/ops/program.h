#pragma once
// A Program: a straight list of operations over tensors, each written once. What passes read and change.
//
// The list is in an order that can be run. `canvas` is the tensor being optimised: no operation makes it.
// Passes are free functions from Program to Program (framework/compile); to_string() shows what each of them
// did.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/source.h"
#include "framework/ops/op.h"

namespace gramflow {

/// When an operation runs.
enum class Phase {
  prologue,  ///< once, before the first iteration: does not depend on the canvas
  loop,      ///< every iteration: from the canvas to a loss, and back
  epilogue,  ///< on the finished picture; also on the way there, for previews
};
std::string_view name_of(Phase phase);

/// Where an operation comes from: what messages and traces show.
struct Origin {
  std::string node;  ///< id in the pipeline: "restyle/style_loss"
  Span span;         ///< its place in the file
};

struct Operation {
  OpPtr op;
  std::vector<TensorId> inputs;   ///< no_tensor where an optional input is absent
  std::vector<TensorId> outputs;  ///< no_tensor where nobody reads an optional output
  Origin origin;
  std::string label;  ///< "canvas_features/conv1_1", "canvas_features/conv1_1 backward"
  Phase phase = Phase::prologue;
  bool backward = false;
  bool repeated = false;  ///< computes again what was not kept for going back
  std::int64_t every =
      0;  ///< of an epilogue op with an effect: runs as a monitor every so many iterations; 0 only at the end
};

struct Tensor {
  TensorDesc desc;
  std::string name;
};

/// One summand of the loss: a scalar f64 tensor, already weighted.
struct LossTerm {
  std::string node;   ///< "style_loss"
  std::string layer;  ///< "relu1_1"; "" for a loss without layers
  TensorId tensor = no_tensor;
};

struct Program {
  std::vector<Tensor> tensors;
  std::vector<Operation> operations;
  TensorId canvas = no_tensor;    ///< no_tensor: nothing is optimised
  TensorId start = no_tensor;     ///< what the canvas begins as
  TensorId gradient = no_tensor;  ///< of the sum of losses with respect to the canvas; set by differentiate()
  std::vector<LossTerm> losses;

  const TensorDesc& desc(TensorId id) const {
    return id == no_tensor ? absent_tensor : tensors[static_cast<std::size_t>(id)].desc;
  }
  std::vector<TensorDesc> descs(const std::vector<TensorId>& ids) const;
  Cost cost(const Operation& operation) const;
  TensorId add_tensor(TensorDesc desc, std::string name);
  /// Infers, makes the output tensors, appends. Returns the new operation. Throws ShapeError.
  Operation& append(Operation operation);
  /// One line an operation.
  std::string to_string() const;
};

}  // namespace gramflow
