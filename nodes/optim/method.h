#pragma once
// The optimisation methods there are; framework/ops/optimization_method.h says how they are driven.
#include <cstdint>
#include <memory>

#include "framework/ops/optimization_method.h"

namespace gramflow {

struct AdamOptions {
  double learning_rate = 0.02;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double decay_factor = 1;       ///< the rate is multiplied by it ...
  std::int64_t decay_every = 0;  ///< ... every so many iterations; 0 never
};
std::unique_ptr<OptimizationMethod> make_adam(const AdamOptions& options);

struct LbfgsOptions {
  double learning_rate = 1;
  int history = 10;
  int max_evaluations = 25;  ///< in one line search
  double tolerance_gradient = 1e-7, tolerance_change = 1e-9;
};
/// torch.optim.LBFGS with line_search_fn="strong_wolfe", max_iter=1 per step; the evaluation that ended a
/// line search is the first of the next step, so a step usually costs one.
std::unique_ptr<OptimizationMethod> make_lbfgs(const LbfgsOptions& options);

}  // namespace gramflow
