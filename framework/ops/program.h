#pragma once
// A Program: a straight list of operations over tensors, each written once. What passes read and change.
//
// The list is in an order that can be run. It is cut into sections that run one after the other:
//
//   0: before the first loop   1: the first loop   2: between the loops   3: the second loop   ...   last:
//   the rest
//
// Even sections are straight: they run once. Odd ones are loops: one for each optimiser, run in every
// evaluation of loss and gradient. A loop's canvas is the tensor being optimised: no operation makes it.
// Operations of the section behind a loop whose `every` is set, and what they need, also run between the
// loop's iterations: its previews. Passes are free functions from Program to Program (framework/compile);
// to_string() shows what each of them did.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/source.h"
#include "framework/ops/op.h"

namespace gramflow {

inline constexpr int straight_section(int stretch) { return 2 * stretch; }
inline constexpr int loop_section(int loop) { return 2 * loop + 1; }
inline constexpr bool is_loop(int section) { return section % 2 != 0; }
/// Of a loop: which; of a straight section: the loop that comes after it.
inline constexpr int loop_of(int section) { return section / 2; }

/// Which side runs an operation, or has a tensor: the device that was chosen, or the host beside it.
enum class Place { device, host };

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
  int section = 0;
  Place place = Place::device;
  bool backward = false;
  bool repeated = false;   ///< computes again what was not kept for going back
  std::int64_t every = 0;  ///< of an op with an effect behind a loop: also runs every so many of its
                           ///< iterations; 0 only at the end
  std::string writes;      ///< of an op that writes a file: its name, placeholders and all; else ""
  bool at_stage_end =
      false;  ///< of an op with an effect: has it at the end of a stage that is not the last, too
};

struct Tensor {
  TensorDesc desc;
  std::string name;
  Place place = Place::device;
};

/// One summand of the loss: a scalar f64 tensor, already weighted.
struct LossTerm {
  std::string node;   ///< "style_loss"
  std::string layer;  ///< "relu1_1"; "" for a loss without layers
  TensorId tensor = no_tensor;
};

/// One optimiser: what it moves, from where, and what it makes small.
struct Loop {
  std::string node;  ///< the optimiser's
  TensorId canvas = no_tensor;
  TensorId start =
      no_tensor;  ///< what the canvas begins as; made in an earlier section, or an earlier canvas
  TensorId gradient = no_tensor;  ///< of the sum of losses with respect to the canvas; set by differentiate()
  TensorId state = no_tensor;     ///< what the method remembers; no operation touches it
  int moments_from = -1;          ///< an earlier loop whose method's moments this one's begins with; -1 none
  std::vector<LossTerm> losses;
};

struct Program {
  std::vector<Tensor> tensors;
  std::vector<Operation> operations;  ///< section by section
  std::vector<Loop> loops;            ///< in the order they run in

  int sections() const { return 2 * static_cast<int>(loops.size()) + 1; }
  /// "prologue", "loop", "epilogue" with one optimiser; with several "prologue of a", "loop of a", ...,
  /// "epilogue".
  std::string section_name(int section) const;
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

/// The loops whose canvases a tensor of a straight section is made of.
std::vector<int> canvases_behind(const Program& program, TensorId tensor);

}  // namespace gramflow
