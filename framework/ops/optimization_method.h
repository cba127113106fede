#pragma once
// Optimisation methods as pure state machines over one vector. Memory belongs to the caller, so that the plan
// knows it. The engine drives them through this contract; the methods themselves live in nodes/optim.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "framework/base/parallel.h"

namespace gramflow {

struct StepResult {
  double loss = 0;       ///< as evaluated before this step
  int evaluations = 0;   ///< evaluate() calls this step made
  bool stopped = false;  ///< nothing more to gain (converged), or the loss is not finite
  bool failed = false;   ///< with stopped: a NaN or infinite loss or gradient; x holds the last finite point
  bool restarted = false;  ///< L-BFGS forgot its history because the line search failed
  std::string reason;      ///< with stopped or restarted: one sentence
};

/// Evaluates the loss at x and fills the gradient; both spans are those given to step().
using Evaluate = FunctionRef<double()>;

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
};

}  // namespace gramflow
