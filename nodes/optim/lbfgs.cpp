// L-BFGS as torch.optim.LBFGS(max_iter=1, line_search_fn="strong_wolfe") does it, one step() an iteration.
// The point a line search ends at is where the next step begins, and its loss and gradient are at hand, so a
// step whose first try is accepted costs one evaluation; torch evaluates twice.
//
// Where torch leaves the user alone:
//   - Its thresholds are absolute numbers, and the gradient of a mean over millions of values is tiny from
//   the
//     start. Here they shrink with the first gradient (tolerance_gradient) and with the loss
//     (tolerance_change) when these are below 1, and whether a pair is worth remembering is judged by its own
//     slope.
//   - The first step is not so short that rounding swallows it.
//   - A line search that finds nothing lower forgets the history and the next step goes straight down the
//     gradient. When that finds nothing either, the end is reached.
//   - A loss or gradient that is not finite makes the line search stay below it. Only when every point of a
//     search straight down the gradient is like that has the method failed.
//
// State, in vectors: history times s and y, the direction, x and gradient of the start of the line search,
// and the gradient of the best point of the search when that is not the last one.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/devices/cpu/vectors.h"
#include "nodes/optim/lbfgs_history.h"
#include "nodes/optim/line_search.h"
#include "nodes/optim/method.h"
#include "nodes/optim/saved_numbers.h"

namespace gramflow {
namespace {

class Lbfgs final : public OptimizationMethod {
 public:
  explicit Lbfgs(const LbfgsOptions& options) : options_(options), history_(options.history) {
    if (options.max_evaluations < 1)
      throw std::invalid_argument("L-BFGS needs at least 1 evaluation in a line search");
  }

  std::size_t state_floats(std::int64_t elements) const override {
    return LbfgsHistory::state_floats(elements, options_.history) + 4 * static_cast<std::size_t>(elements);
  }

  void bind(std::int64_t elements, std::span<float> state) override {
    if (elements < 1) throw std::invalid_argument("L-BFGS: nothing to optimise");
    if (state.size() < state_floats(elements)) throw std::invalid_argument("L-BFGS: the state is too small");
    const auto size = static_cast<std::size_t>(elements);
    direction_ = state.subspan(0, size);
    start_x_ = state.subspan(size, size);
    start_gradient_ = state.subspan(2 * size, size);
    best_gradient_ = state.subspan(3 * size, size);
    history_.bind(elements, state.subspan(4 * size));
    scratch_.resize(cpu::reduction_scratch(elements));
    evaluated_ = moved_ = searching_ = forgot_ = false;
    fresh_ = true;
    loss_ = start_slope_ = 0;
    evaluation_ = -1;
    taken_ = {};
    first_max_abs_ = -1;
  }

  StepResult step(std::int64_t, std::span<float> x, std::span<float> gradient, Evaluate evaluate) override {
    StepResult result;
    if (!evaluated_ && !begin(gradient, evaluate, result)) return result;
    result.loss = loss_;
    result.evaluation = evaluation_;
    const cpu::GradientSize size = moved_ ? remember(gradient) : history_.look(gradient);
    moved_ = false;
    if (first_max_abs_ < 0) first_max_abs_ = size.max_abs;
    if (size.max_abs <= options_.tolerance_gradient * std::min(1.0, first_max_abs_))
      return stop(result, "converged: the gradient is zero within tolerance");

    cpu::DirectionSize direction = history_.propose(gradient, direction_, x, start_x_, start_gradient_);
    if (!history_.empty() && !promising(direction)) {
      forget();
      direction = history_.propose(gradient, direction_, x, start_x_, start_gradient_);
    }
    if (forgot_) {
      result.restarted = true;
      result.reason = "the history no longer points downhill and was forgotten";
    }
    const double first_step = options_.learning_rate * (fresh_ ? careful_step(size, x) : 1.0);
    const LineSearchResult search = search_from(x, gradient, evaluate, direction, first_step);
    result.evaluations += search.evaluations;
    settle(x, gradient, search);
    judge(search, result);
    return result;
  }

  /// What a step did before its search began is done for good: a pair learned, a history forgotten. The step
  /// that follows finds the pair in the history and looks at the same gradient again.
  void rewind(std::span<float> x, std::span<float> gradient) override {
    if (!searching_) return;
    cpu::copy(start_x_, x);
    cpu::copy(start_gradient_, gradient);
    searching_ = false;
  }

  std::int64_t known_evaluation() const override { return evaluated_ ? evaluation_ : -1; }

  OptimizerState save_state() const override {
    if (searching_) throw std::logic_error("L-BFGS: the state is wanted in the middle of a step");
    OptimizerState saved{layout(),
                         {evaluated_, moved_, fresh_, forgot_, evaluation_},
                         {loss_, start_slope_, taken_.step, taken_.loss, taken_.slope, first_max_abs_}};
    history_.save(saved);
    return saved;
  }

  void restore_state(const OptimizerState& saved) override {
    SavedNumbers numbers(saved, layout());
    for (bool* flag : {&evaluated_, &moved_, &fresh_, &forgot_}) *flag = numbers.flag();
    evaluation_ = numbers.count(-1);
    for (double* number : {&loss_, &start_slope_, &taken_.step, &taken_.loss, &taken_.slope, &first_max_abs_})
      *number = numbers.number();
    history_.restore(numbers);
    numbers.finish();
    searching_ = false;
  }

 private:
  std::string layout() const {
    return fmt::format("lbfgs 1, {} elements, history {}", direction_.size(), options_.history);
  }

  /// The very first evaluation. False when there is nothing to start from.
  bool begin(std::span<const float> gradient, Evaluate evaluate, StepResult& result) {
    const Evaluated here = evaluate();
    result.loss = loss_ = here.loss;
    result.evaluation = evaluation_ = here.index;
    result.evaluations = 1;
    evaluated_ = true;
    const bool finite_loss = std::isfinite(loss_);
    if (finite_loss && cpu::all_finite(gradient, scratch_.data())) return true;
    evaluated_ = false;
    result.stopped = result.failed = true;
    result.reason = finite_loss ? "the gradient is not finite at the very start"
                                : "the loss is not finite at the very start";
    return false;
  }

  /// The last step's pair, when the slope along it grew. The strong Wolfe conditions promise that; a search
  /// that ran out of evaluations does not.
  cpu::GradientSize remember(std::span<const float> gradient) {
    const double growth = taken_.slope - start_slope_;
    if (!(growth > 1e-10 * -start_slope_)) return history_.look(gradient);
    fresh_ = false;
    return history_.learn(taken_.step, direction_, start_gradient_, gradient);
  }

  void forget() {
    history_.forget();
    fresh_ = forgot_ = true;
  }

  bool promising(const cpu::DirectionSize& direction) const {
    return std::isfinite(direction.slope) && std::isfinite(direction.max_abs) &&
           direction.slope < -options_.tolerance_change * std::min(1.0, std::abs(loss_));
  }

  /// Of the first step down a gradient, about whose length nothing is known: torch moves all elements
  /// together by at most 1. For millions of elements that is less than a float can tell; then at least one
  /// moves noticeably.
  double careful_step(const cpu::GradientSize& size, std::span<const float> x) {
    const double noticeable = 1e-5 * cpu::max_abs(x, scratch_.data());
    return std::max(std::min(1.0, 1 / size.absolute), noticeable / size.max_abs);
  }

  void go(std::span<float> x, double step) {
    cpu::copy(start_x_, x);
    cpu::axpby(step, direction_, 1, x);
  }

  LineSearchResult search_from(std::span<float> x, std::span<float> gradient, Evaluate evaluate,
                               const cpu::DirectionSize& direction, double first_step) {
    LineSearchOptions options;
    options.max_evaluations = options_.max_evaluations;
    options.tolerance_change = options_.tolerance_change;
    options.direction_max_abs = direction.max_abs;
    start_slope_ = direction.slope;
    searching_ = true;
    const auto evaluate_at = [&](double step) {
      go(x, step);
      const Evaluated there = evaluate();
      return LinePoint{step, there.loss, cpu::dot(gradient, direction_, scratch_.data()), there.index};
    };
    const auto keep = [&] { cpu::copy(gradient, best_gradient_); };
    return search_line({0, loss_, direction.slope, evaluation_}, first_step, options, evaluate_at, keep);
  }

  /// Puts x and the gradient where the search ended.
  void settle(std::span<float> x, std::span<float> gradient, const LineSearchResult& search) {
    searching_ = forgot_ = false;
    taken_ = search.best;
    moved_ = taken_.step != 0;
    if (search.best_is_last) return;
    go(x, taken_.step);
    cpu::copy(moved_ ? best_gradient_ : start_gradient_, gradient);
  }

  void judge(const LineSearchResult& search, StepResult& result) {
    if (moved_) {
      const double change = std::abs(taken_.loss - loss_);
      loss_ = taken_.loss;
      evaluation_ = taken_.evaluation;
      if (change <= options_.tolerance_change * std::abs(loss_))
        stop(result, "converged: the loss no longer changes");
      return;
    }
    if (!history_.empty()) {
      history_.forget();
      fresh_ = true;
      result.restarted = true;
      result.reason = "the line search found nothing lower; the history was forgotten";
      return;
    }
    result.failed = search.met_not_finite;
    stop(result, search.met_not_finite
                     ? "the loss or its gradient is not finite anywhere near"
                     : fmt::format("no lower loss was found in {} evaluations straight down the gradient",
                                   search.evaluations));
  }

  static StepResult& stop(StepResult& result, std::string reason) {
    result.stopped = true;
    result.reason = std::move(reason);
    return result;
  }

  LbfgsOptions options_;
  LbfgsHistory history_;
  std::span<float> direction_, start_x_, start_gradient_, best_gradient_;
  std::vector<std::byte> scratch_;
  bool evaluated_ = false;  // loss_ and the gradient belong to x
  bool moved_ = false;      // the last step took `taken_`, not yet in the history
  bool fresh_ = true;       // no pair has been learned since the beginning or a restart
  bool searching_ = false;  // a line search is under way, or was left by an exception
  bool forgot_ = false;     // the step that was left had forgotten the history
  double loss_ = 0;
  std::int64_t evaluation_ = -1;  // that found loss_
  double start_slope_ = 0;        // of the line the last step went along
  LinePoint taken_;               // where on it the step ended
  double first_max_abs_ = -1;     // of the first gradient
};

}  // namespace

std::unique_ptr<OptimizationMethod> make_lbfgs(const LbfgsOptions& options) {
  return std::make_unique<Lbfgs>(options);
}

}  // namespace gramflow
