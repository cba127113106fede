#pragma once
// Optimisation methods as pure state machines over one vector. Memory belongs to the caller, so that the plan
// knows it. The engine drives them through this contract; the methods themselves live in nodes/optim.
//
//   method->bind(elements, state);
//   for (...) {
//     try { result = method->step(i, x, gradient, evaluate); }
//     catch (...) { method->rewind(x, gradient); throw; }   // as if the step had not begun
//   }
//
// What a method has to show for itself need not be the point it stands at: an average of the points it went
// through. Between two steps show() puts that in x, conceal() puts the point back.
//
// A run is handed on between two steps (or after rewind()) by keeping x, the gradient, the state memory and
// what save_state() says; a method of the same options that is bound to a copy of that memory, and given the
// numbers with restore_state(), goes on to the same bits.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/base/parallel.h"

namespace gramflow {

/// What an evaluation found, and which one it was. The caller counts all evaluations of a run from 0 and goes
/// on counting after restore_state(); methods only hand the number back.
struct Evaluated {
  double loss = 0;
  std::int64_t index = 0;
};

struct StepResult {
  double loss = 0;  ///< at the point the step started from
  std::int64_t evaluation =
      -1;                ///< index of the evaluation that found `loss`, in this step or an earlier one
  int evaluations = 0;   ///< evaluate() calls this step made
  bool moved = true;     ///< x went somewhere
  bool stopped = false;  ///< nothing more to gain (converged), or the loss is not finite
  bool failed = false;   ///< with stopped: a NaN or infinite loss or gradient; x holds the last finite point
  bool restarted = false;  ///< L-BFGS forgot its history because the line search failed
  bool went_back = false;  ///< the loss or gradient was not finite: x is the last point where they were, and
                           ///< the next steps will be smaller
  std::string reason;      ///< with stopped, restarted or went_back: one sentence
};

/// Adam's memory of the gradient, to be handed to another run: views of the method's own memory.
struct Moments {
  std::span<float> first, second;
  std::int64_t steps = 0;
  double mean_square = 0;     ///< of the gradient as first and second see it; see nodes/optim/adam.cpp
  double gradient_scale = 1;  ///< what the gradient was multiplied by
};

/// Evaluates the loss at x and fills the gradient; both spans are those given to step(). May throw; then
/// rewind() is the only thing to call before the next step.
using Evaluate = FunctionRef<Evaluated()>;

/// What a method remembers beside the vectors in its bound memory: plain numbers, to be kept to the last bit.
struct OptimizerState {
  std::string layout;  ///< whose numbers these are, what they mean and for what size
  std::vector<std::int64_t> counts;
  std::vector<double> numbers;
};

class OptimizationMethod {
 public:
  virtual ~OptimizationMethod() = default;
  /// Floats of state for a vector of `elements`, known before anything runs.
  virtual std::size_t state_floats(std::int64_t elements) const = 0;
  /// Hands over zero-initialised or not memory of that size; forgets the past. Call before the first step.
  virtual void bind(std::int64_t elements, std::span<float> state) = 0;
  /// One iteration from x. `iteration` counts from 0. x and gradient keep their addresses between the calls
  /// of one bind(). Allocates nothing after the first two calls.
  virtual StepResult step(std::int64_t iteration, std::span<float> x, std::span<float> gradient,
                          Evaluate evaluate) = 0;
  /// After evaluate() threw out of step(): x, and the gradient where known_evaluation() names one, are again
  /// those of the point at which that step began. The next step() makes the same step, to the same bits,
  /// without evaluating that point again when it is known. Otherwise changes nothing.
  virtual void rewind(std::span<float> x, std::span<float> gradient) = 0;
  /// Index of the evaluation that x and the gradient belong to as they stand between two steps; the next step
  /// will name it and need not repeat it. -1: the next step begins with an evaluation of its own.
  virtual std::int64_t known_evaluation() const = 0;

  /// The loss at x, where the last step ended, has turned out not to be finite: puts the last point in x where it
  /// was. False when the method knows of none.
  virtual bool go_back(std::span<float> /*x*/) { return false; }
  /// Whether show() changes anything.
  virtual bool shows_other() const { return false; }
  /// Puts what there is to show in x, with what x holds kept in the state memory. Nothing else may be called
  /// before conceal().
  virtual void show(std::span<float> /*x*/) {}
  /// x is again what it was before show().
  virtual void conceal(std::span<float> /*x*/) {}

  /// Between two steps; nothing for methods without moments.
  virtual std::optional<Moments> moments() { return std::nullopt; }
  /// After bind(), before the first step, and after moments().first and second were filled: the other numbers.
  virtual void go_on_from(const Moments& /*other*/) {}

  /// Between two steps only; not when a step threw and was not rewound (throws std::logic_error).
  virtual OptimizerState save_state() const = 0;
  /// After bind() and after the bound memory was filled with what it held when `saved` was made. Throws
  /// std::invalid_argument when `saved` is of another method, size or layout; then bind() anew.
  virtual void restore_state(const OptimizerState& saved) = 0;
};

}  // namespace gramflow
