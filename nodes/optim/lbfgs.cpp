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
// In a box it is a projected method: elements at a bound that the gradient pushes outwards stand still, the
// direction is that of L-BFGS for the others alone (the pairs' products are taken over these), and the search
// goes along the path that the box bends, x(t) = P(x + t d), with the slope of the elements that still move
// (Bertsekas, "Projected Newton methods", 1982; Ferry, Gill, Wong and Zhang, "Projected-search methods for
// bound-constrained optimization", 2020). The start's slope is the mean one up to the first try, so that elements
// that the box stops at once promise nothing. Many bounds may become active in a step, and any left.
//
// Without a line search every step is taken, as in Torch7's optim.lbfgs that neural-style uses: the first
// min(1, 1/|g|_1) times the learning rate long, the others once it; half of that, again and again, where the loss
// is not finite.
//
// State, in vectors: history times s and y, the direction, x and gradient of the start of the line search,
// and the gradient of the best point of the search when that is not the last one; in a box a byte an element.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
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
    return LbfgsHistory::state_floats(elements, options_.history) + 4 * static_cast<std::size_t>(elements) +
           mark_floats(elements);
  }

  void bind(std::int64_t elements, std::span<float> state) override {
    if (elements < 1) throw std::invalid_argument("L-BFGS: nothing to optimise");
    if (state.size() < state_floats(elements)) throw std::invalid_argument("L-BFGS: the state is too small");
    const auto size = static_cast<std::size_t>(elements);
    direction_ = state.subspan(0, size);
    start_x_ = state.subspan(size, size);
    start_gradient_ = state.subspan(2 * size, size);
    best_gradient_ = state.subspan(3 * size, size);
    const std::size_t history = LbfgsHistory::state_floats(elements, options_.history);
    const std::span<float> marks = state.subspan(4 * size + history, mark_floats(elements));
    history_.bind(elements, state.subspan(4 * size, history),
                  {reinterpret_cast<std::uint8_t*>(marks.data()), marks.empty() ? 0 : size});
    scratch_.resize(std::max(cpu::reduction_scratch(elements), cpu::box_scratch(elements)));
    evaluated_ = moved_ = searching_ = forgot_ = false;
    fresh_ = true;
    loss_ = start_slope_ = 0;
    evaluation_ = -1;
    taken_ = {};
    first_max_abs_ = -1;
  }

  StepResult step(std::int64_t iteration, std::span<float> x, std::span<float> gradient,
                  Evaluate evaluate) override {
    StepResult result;
    if (!evaluated_ && !begin(gradient, evaluate, result)) return result;
    result.loss = loss_;
    result.evaluation = evaluation_;
    const cpu::GradientSize size = look(x, gradient);
    if (first_max_abs_ < 0) first_max_abs_ = size.max_abs;
    if (size.max_abs <= options_.tolerance_gradient * std::min(1.0, first_max_abs_)) {
      result.moved = false;
      return stop(result, "converged: the gradient is zero within tolerance");
    }

    rate_ = options_.line_search ? options_.learning_rate.rate : options_.learning_rate.at(iteration);
    cpu::DirectionSize direction = propose(x, gradient, size);
    if (!history_.empty() && !promising(direction)) {
      forget();
      direction = propose(x, gradient, size);
    }
    if (forgot_) {
      result.restarted = true;
      result.reason = "the history no longer points downhill and was forgotten";
    }
    const LineSearchResult search = search_from(x, gradient, evaluate, direction);
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
  /// For a byte an element, in a box.
  std::size_t mark_floats(std::int64_t elements) const {
    return options_.box ? (static_cast<std::size_t>(elements) + sizeof(float) - 1) / sizeof(float) : 0;
  }

  std::string layout() const {
    return fmt::format("lbfgs 1, {} elements, history {}{}", direction_.size(), options_.history,
                       options_.box ? ", in a box" : "");
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
    result.moved = false;
    result.reason = finite_loss ? "the gradient is not finite at the very start"
                                : "the loss is not finite at the very start";
    return false;
  }

  /// Learns the last step's pair and measures the gradient.
  cpu::GradientSize look(std::span<const float> x, std::span<const float> gradient) {
    const bool moved = std::exchange(moved_, false);
    if (!options_.box) return moved ? remember(gradient) : history_.look(gradient);
    if (moved) history_.append(x, start_x_, gradient, start_gradient_);
    const cpu::GradientSize size = history_.look_free(*options_.box, x, gradient);
    fresh_ = history_.used() == 0;
    return size;
  }

  /// A direction from x, and the length that is tried first.
  cpu::DirectionSize propose(std::span<const float> x, std::span<const float> gradient,
                             const cpu::GradientSize& size) {
    cpu::DirectionSize direction;
    if (options_.box) {
      cpu::copy(x, start_x_);
      cpu::copy(gradient, start_gradient_);
      history_.propose_free(gradient, direction_);
      direction = cpu::hold_in_box(*options_.box, x, gradient, direction_, scratch_.data());
    } else {
      direction = history_.propose(gradient, direction_, x, start_x_, start_gradient_);
    }
    first_step_ = rate_ * (fresh_ ? careful_step(size, x) : 1.0);
    if (options_.box && first_step_ > 0)
      direction.slope =
          cpu::gain_in_box(*options_.box, first_step_, direction_, x, gradient, scratch_.data()) /
          first_step_;
    return direction;
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
    if (!options_.line_search) return std::min(1.0, 1 / size.absolute);
    const double noticeable = 1e-5 * cpu::max_abs(x, scratch_.data());
    return std::max(std::min(1.0, 1 / size.absolute), noticeable / size.max_abs);
  }

  void go(std::span<float> x, double step) {
    if (options_.box) return cpu::step_in_box(*options_.box, step, direction_, start_x_, x);
    cpu::copy(start_x_, x);
    cpu::axpby(step, direction_, 1, x);
  }

  double slope_at(std::span<const float> x, std::span<const float> gradient) {
    if (options_.box) return cpu::slope_in_box(*options_.box, direction_, x, gradient, scratch_.data());
    return cpu::dot(gradient, direction_, scratch_.data());
  }

  LineSearchResult search_from(std::span<float> x, std::span<float> gradient, Evaluate evaluate,
                               const cpu::DirectionSize& direction) {
    LineSearchOptions options;
    options.max_evaluations = options_.max_evaluations;
    options.tolerance_change = options_.tolerance_change;
    options.direction_max_abs = direction.max_abs;
    start_slope_ = direction.slope;
    searching_ = true;
    const auto evaluate_at = [&](double step) {
      go(x, step);
      const Evaluated there = evaluate();
      return LinePoint{step, there.loss, slope_at(x, gradient), there.index};
    };
    if (!options_.line_search) return first_finite(evaluate_at);
    const auto keep = [&] { cpu::copy(gradient, best_gradient_); };
    return search_line({0, loss_, direction.slope, evaluation_}, first_step_, options, evaluate_at, keep);
  }

  /// Takes the first step as it is, whatever the loss there, as long as there is one.
  LineSearchResult first_finite(FunctionRef<LinePoint(double)> evaluate_at) {
    LineSearchResult result;
    double step = first_step_;
    while (result.evaluations < options_.max_evaluations) {
      result.best = evaluate_at(step);
      ++result.evaluations;
      result.best_is_last = true;
      if (std::isfinite(result.best.loss) && std::isfinite(result.best.slope)) return result;
      result.met_not_finite = true;
      step /= 2;
    }
    result.best = {0, loss_, start_slope_, evaluation_};
    result.best_is_last = false;
    return result;
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
    result.moved = moved_;
    if (moved_) {
      if (search.met_not_finite && !options_.line_search)
        result.reason = "the loss is not finite at the full step; a shorter one was made";
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
  double rate_ = 1;               // of the step that is being made
  double first_step_ = 1;         // tried first in it
  double start_slope_ = 0;        // of the line the last step went along
  LinePoint taken_;               // where on it the step ended
  double first_max_abs_ = -1;     // of the first gradient
};

}  // namespace

std::unique_ptr<OptimizationMethod> make_lbfgs(const LbfgsOptions& options) {
  return std::make_unique<Lbfgs>(options);
}

}  // namespace gramflow
