#pragma once
// The optimisation methods there are; framework/ops/optimization_method.h says how they are driven.
#include <cstdint>
#include <memory>
#include <optional>

#include "framework/devices/cpu/box.h"
#include "framework/ops/optimization_method.h"
#include "nodes/optim/learning_rate.h"

namespace gramflow {

struct AdamOptions {
  LearningRate learning_rate = 0.02;
  double beta1 = 0.9, beta2 = 0.999;
  std::optional<double> epsilon;  ///< nothing: Adam's own, relative to the gradient's size
  std::optional<cpu::Box> box;    ///< where x has to stay; it must lie there at the first step
};
/// Without `epsilon` its steps do not depend on the unit of the loss.
std::unique_ptr<OptimizationMethod> make_adam(const AdamOptions& options);

/// Adam's epsilon where none is given: this, times the root mean square of the gradient.
inline constexpr double relative_epsilon = 1e-5;

struct LbfgsOptions {
  LearningRate learning_rate = 1;
  int history = 10;
  bool line_search = true;   ///< strong Wolfe; false: every step is taken, of the learning rate's length
  int max_evaluations = 25;  ///< in one line search
  double tolerance_gradient = 1e-7, tolerance_change = 1e-9;
  std::optional<cpu::Box> box;  ///< as above
};
/// torch.optim.LBFGS with line_search_fn="strong_wolfe", max_iter=1 per step; the evaluation that ended a
/// line search is the first of the next step, so a step usually costs one. Without line search Torch7's
/// optim.lbfgs. In a box a projected method.
std::unique_ptr<OptimizationMethod> make_lbfgs(const LbfgsOptions& options);

/// `method`, showing the exponential average of the points it has been at, the start among them:
///   a_k = decay a_(k-1) + (1 - decay) x_k, shown is a_k / (1 - decay^(k + 1))
/// A point that turns out not to be finite is not in it. Two vectors of state. `decay` in (0, 1).
std::unique_ptr<OptimizationMethod> averaged(std::unique_ptr<OptimizationMethod> method, double decay);

struct PlateauOptions {
  double change = 1e-3;    ///< relative
  std::int64_t over = 20;  ///< iterations, at least 1
};
/// `method`, stopping when the mean loss of the last `over` steps is not below that of the `over` steps before
/// by more than `change` times it.
std::unique_ptr<OptimizationMethod> stopping_on_plateau(std::unique_ptr<OptimizationMethod> method,
                                                        const PlateauOptions& options);

}  // namespace gramflow
