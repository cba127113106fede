// Nocedal and Wright, algorithms 3.5 and 3.6, in the form of minFunc that torch.optim.LBFGS inherited; its
// choices (when to bracket, how far to extrapolate, what counts as progress) are followed to the letter, so
// that curves can be compared.
//
// First steps grow, by cubic extrapolation, until the Wolfe conditions hold or a bracket is known to contain
// a point where they do: the loss is too high at the far end, or the slope is positive there. Then the
// bracket shrinks: a cubic through its ends gives the next try, moved off the ends when it comes to lie too
// close. "low" is the end with the lower loss; it always satisfies sufficient decrease.
//
// What torch does not have: a loss that is not finite counts as infinitely high, and with such an end the
// next try is a quarter of the bracket away from the other one.
#include "nodes/optim/line_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gramflow {

double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const double middle = (low + high) / 2;
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return middle;
  const double d2 = std::sqrt(square);
  const LinePoint& left = a.step <= b.step ? a : b;
  const LinePoint& right = a.step <= b.step ? b : a;
  const double minimum =
      right.step - (right.step - left.step) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return std::isfinite(minimum) ? std::clamp(minimum, low, high) : middle;
}

namespace {

class Search {
 public:
  Search(const LinePoint& start, const LineSearchOptions& options, FunctionRef<LinePoint(double)> evaluate,
         FunctionRef<void()> keep)
      : start_(start),
        options_(options),
        evaluate_(evaluate),
        keep_(keep),
        last_(start),
        ends_{start, start} {}

  LineSearchResult run(double first_step) {
    if (!bracket(first_step)) shrink();
    result_.best = ends_[low_];
    result_.best_is_last = result_.best.step == last_.step;
    return result_;
  }

 private:
  bool exhausted() const { return result_.evaluations >= options_.max_evaluations; }
  bool too_high(const LinePoint& p) const {
    return p.loss > start_.loss + options_.sufficient_decrease * p.step * start_.slope;
  }
  bool flat_enough(const LinePoint& p) const {
    return std::abs(p.slope) <= -options_.curvature * start_.slope;
  }

  LinePoint try_step(double step) {
    last_ = evaluate_(step);
    ++result_.evaluations;
    if (!std::isfinite(last_.loss) || !std::isfinite(last_.slope)) {
      result_.met_not_finite = true;
      last_.loss = last_.slope = std::numeric_limits<double>::infinity();
    }
    return last_;
  }

  void choose_low() { low_ = ends_[0].loss <= ends_[1].loss ? 0 : 1; }

  /// Fills ends_ and low_. True when the search is over.
  bool bracket(double step) {
    LinePoint before = start_;
    LinePoint now = try_step(step);
    for (int round = 0; !exhausted(); ++round) {
      if (too_high(now) || (round > 1 && now.loss >= before.loss)) return set_ends(before, now);
      if (flat_enough(now)) {
        ends_[0] = ends_[1] = now;
        low_ = 0;
        return true;
      }
      if (now.slope >= 0) return set_ends(before, now);
      step = cubic_minimum(before, now, now.step + 0.01 * (now.step - before.step), now.step * 10);
      before = now;
      keep_();
      now = try_step(step);
    }
    ends_[0] = before;
    ends_[1] = now;
    choose_low();
    if (start_.loss <= ends_[low_].loss) ends_[low_] = start_;
    return true;
  }

  bool set_ends(const LinePoint& before, const LinePoint& now) {
    ends_[0] = before;
    ends_[1] = now;
    choose_low();
    return false;
  }

  double next_try() {
    const LinePoint& low = ends_[low_];
    const LinePoint& high = ends_[1 - low_];
    if (!std::isfinite(high.loss)) return low.step + 0.25 * (high.step - low.step);
    const double left = std::min(low.step, high.step), right = std::max(low.step, high.step);
    const double step = cubic_minimum(ends_[0], ends_[1], left, right);
    const double margin = 0.1 * (right - left);
    if (std::min(right - step, step - left) >= margin) {
      little_progress_ = false;
      return step;
    }
    if (!little_progress_ && step < right && step > left) {
      little_progress_ = true;
      return step;
    }
    little_progress_ = false;
    return right - step < step - left ? right - margin : left + margin;
  }

  void shrink() {
    while (!exhausted()) {
      if (std::abs(ends_[1].step - ends_[0].step) * options_.direction_max_abs < options_.tolerance_change)
        return;
      if (ends_[low_].step == last_.step) keep_();
      const LinePoint now = try_step(next_try());
      LinePoint& low = ends_[low_];
      LinePoint& high = ends_[1 - low_];
      if (too_high(now) || now.loss >= low.loss) {
        high = now;
        choose_low();
        continue;
      }
      const bool done = flat_enough(now);
      if (!done && now.slope * (high.step - low.step) >= 0) high = low;
      low = now;
      if (done) return;
    }
  }

  const LinePoint start_;
  const LineSearchOptions& options_;
  FunctionRef<LinePoint(double)> evaluate_;
  FunctionRef<void()> keep_;
  LinePoint last_;     // evaluated last
  LinePoint ends_[2];  // of the bracket
  int low_ = 0;
  bool little_progress_ = false;
  LineSearchResult result_;
};

}  // namespace

LineSearchResult search_line(const LinePoint& start, double first_step, const LineSearchOptions& options,
                             FunctionRef<LinePoint(double)> evaluate, FunctionRef<void()> keep) {
  return Search(start, options, evaluate, keep).run(first_step);
}

}  // namespace gramflow
