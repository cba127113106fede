#pragma once
// What an operation is: the vocabulary of Programs.
//
// An Op describes one computation for any shapes: what it makes (infer), what it costs, how its gradient is
// formed. It is immutable and may stand in a Program many times. An op and its backward ops live in one file.
// It knows no device: how it becomes a Kernel for given memory, each device says for itself
// (framework/devices).
#include <array>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/tensor/tensor.h"

namespace gramflow {

class FilterSource;

using TensorId = int;
inline constexpr TensorId no_tensor = -1;

/// Stands for an optional input that is not there.
inline constexpr TensorDesc absent_tensor{Shape{0, 0, 0}, ElementType::u8};
inline bool present(const TensorDesc& desc) { return desc.shape.channels > 0; }

/// Inputs that do not fit together. The message says what was found and what was expected; whoever emitted
/// the operation adds the place.
class ShapeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Cost {
  double flops = 0;  ///< multiply and add count as two; direct convolution's count whatever the method
  double bytes = 0;  ///< moved to and from memory if caches were empty
};

/// An op bound to memory. run() neither allocates nor decides; it may be called again and again, from one
/// thread at a time.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run() = 0;
};

/// The memory of one operation on the host; absent inputs and outputs are null views.
struct Bindings {
  std::span<const TensorView> inputs;
  std::span<const TensorView> outputs;
  void* scratch = nullptr;
};

/// How an op says what its gradient is; differentiate() provides it.
class GradientBuilder {
 public:
  virtual ~GradientBuilder() = default;
  virtual TensorId input(int index) const = 0;
  virtual TensorId output(int index) const = 0;
  /// Gradient of the loss with respect to an output; no_tensor when the output is itself a loss (its gradient
  /// is 1).
  virtual TensorId output_gradient(int index) = 0;
  /// Does anybody want the gradient with respect to this input?
  virtual bool wanted(int input) const = 0;
  virtual const TensorDesc& desc(TensorId tensor) const = 0;
  /// Side contributions are added to a tensor's gradient before the trunk's, so that the trunk's op, which
  /// can add and mask in one pass, comes last.
  enum class Route { side, trunk };
  /// Adds `op`'s first output to the gradient of an input. The slot of the op's accumulator() is filled when
  /// it is due.
  virtual void contribute(int input, std::shared_ptr<const class Op> op, std::vector<TensorId> inputs,
                          Route route) = 0;
};

class Op {
 public:
  virtual ~Op() = default;
  virtual std::string_view kind() const = 0;
  /// Parameters, for printing: "64 -> 128, 3x3".
  virtual std::string attributes() const { return ""; }
  /// Every output the op can make, those the program does not ask for included. Throws ShapeError.
  virtual std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const = 0;
  virtual Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const;
  /// The input whose memory output 0 takes over when present (the result is added to what is there); -1 none.
  virtual int accumulator() const { return -1; }
  /// An input whose memory output 0 may take over when nobody else needs it afterwards; -1 none.
  virtual int overwritable() const { return -1; }
  /// Ops with an effect outside of the program (writing a file) are kept though nobody reads their outputs.
  virtual bool has_effect() const { return false; }
  /// The filter that it reads; nullptr for most. Devices pack it before they prepare the op.
  virtual std::shared_ptr<const FilterSource> filter() const { return nullptr; }
  /// Whether it goes through its filter the other way: from gradients to gradients.
  virtual bool filters_backward() const { return false; }
  /// Finds out before the run whether it can succeed (an output folder that takes no files). Throws RunError.
  virtual void preflight() const {}
  /// For `check`: does what only a run would do otherwise, as far as that costs little, and throws its result
  /// away: reads a picture to its end. Throws RunError as the run would.
  virtual void trial() const {}
  /// Whether the op may stand between a canvas and a loss: gradient() is there.
  virtual bool differentiable() const { return true; }
  /// Default: std::logic_error, for backward ops, which are never differentiated again.
  virtual void gradient(GradientBuilder& builder) const;
};
using OpPtr = std::shared_ptr<const Op>;

/// A Kernel from a callable.
template <class Function>
std::unique_ptr<Kernel> make_kernel(Function function) {
  class FunctionKernel final : public Kernel {
   public:
    explicit FunctionKernel(Function f) : function_(std::move(f)) {}
    void run() override { function_(); }

   private:
    Function function_;
  };
  return std::make_unique<FunctionKernel>(std::move(function));
}

}  // namespace gramflow
