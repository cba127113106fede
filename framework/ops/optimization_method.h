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
// A run is handed on between two steps (or after rewind()) by keeping x, the gradient, the state memory and
// what save_state() says; a method of the same options that is bound to a copy of that memory, and given the
// numbers with restore_state(), goes on to the same bits.
#include <cstddef>
#include <cstdint>
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
  bool stopped = false;  ///< nothing more to gain (converged), or the loss is not finite
  bool failed = false;   ///< with stopped: a NaN or infinite loss or gradient; x holds the last finite point
  bool restarted = false;  ///< L-BFGS forgot its history because the line search failed
  std::string reason;      ///< with stopped or restarted: one sentence
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

  /// Between two steps only; not when a step threw and was not rewound (throws std::logic_error).
  virtual OptimizerState save_state() const = 0;
  /// After bind() and after the bound memory was filled with what it held when `saved` was made. Throws
  /// std::invalid_argument when `saved` is of another method, size or layout; then bind() anew.
  virtual void restore_state(const OptimizerState& saved) = 0;
};

}  // namespace gramflow
