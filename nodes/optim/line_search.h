#pragma once
// Finds a step along a direction that satisfies the strong Wolfe conditions. Pure arithmetic over one number;
// who evaluates and who remembers gradients is the caller's business.
#include <cstdint>

#include "framework/base/parallel.h"

namespace gramflow {

/// A point on the line.
struct LinePoint {
  double step = 0;
  double loss = 0;
  double slope = 0;              ///< gradient times direction
  std::int64_t evaluation = -1;  ///< the caller's mark, handed back with `best`
};

struct LineSearchOptions {
  double sufficient_decrease = 1e-4;
  double curvature = 0.9;
  int max_evaluations = 25;  ///< at least 1
  /// Stop when the bracket, times `direction_max_abs`, is smaller.
  double tolerance_change = 1e-9;
  double direction_max_abs = 1;
};

struct LineSearchResult {
  LinePoint best;             ///< step 0: nothing below the start was found
  bool best_is_last = false;  ///< `best` is what was evaluated last
  int evaluations = 0;
  bool met_not_finite = false;  ///< some point had a loss or slope that is NaN or infinite
};

/// `start` is the point with step 0, its slope negative. `evaluate` goes to a step; it may find numbers that
/// are not finite, then the search stays below. `keep` is called before an evaluation when the point
/// evaluated last may turn out to be the result: its gradient must survive. The last one kept is enough.
LineSearchResult search_line(const LinePoint& start, double first_step, const LineSearchOptions& options,
                             FunctionRef<LinePoint(double step)> evaluate, FunctionRef<void()> keep);

/// Minimum, within [low, high], of the cubic through two points with their slopes; the middle where there is
/// none.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high);

}  // namespace gramflow
