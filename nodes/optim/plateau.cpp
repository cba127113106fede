// Stops a method that no longer gets anywhere. Losses may jump from step to step (sampled positions do that),
// so means of two windows are compared. The window of losses is part of the state.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "nodes/optim/method.h"
#include "nodes/optim/wrapped_method.h"

namespace gramflow {
namespace {

class Plateau final : public WrappedMethod {
 public:
  Plateau(std::unique_ptr<OptimizationMethod> method, const PlateauOptions& options)
      : WrappedMethod(std::move(method)), options_(options) {
    if (options.over < 1) throw std::invalid_argument("a plateau is at least 1 iteration long");
    losses_.assign(2 * static_cast<std::size_t>(options.over), 0);
  }

  void bind(std::int64_t elements, std::span<float> state) override {
    inner().bind(elements, state);
    std::fill(losses_.begin(), losses_.end(), 0.0);
    seen_ = 0;
  }

  StepResult step(std::int64_t iteration, std::span<float> x, std::span<float> gradient,
                  Evaluate evaluate) override {
    StepResult result = inner().step(iteration, x, gradient, evaluate);
    if (result.failed || result.went_back) return result;
    losses_[static_cast<std::size_t>(seen_) % losses_.size()] = result.loss;
    ++seen_;
    if (result.stopped || seen_ < 2 * options_.over) return result;
    const double before = mean(seen_ - 2 * options_.over), now = mean(seen_ - options_.over);
    if (before - now > options_.change * std::abs(before)) return result;
    result.stopped = true;
    result.reason = fmt::format(
        "the mean loss of the last {0} iterations ({1:.4g}) is not below that of the {0} before ({2:.4g}) by "
        "more "
        "than {3} of it",
        options_.over, now, before, options_.change);
    return result;
  }

 private:
  double mean(std::int64_t from) const {
    double sum = 0;
    for (std::int64_t i = from; i < from + options_.over; ++i)
      sum += losses_[static_cast<std::size_t>(i) % losses_.size()];
    return sum / static_cast<double>(options_.over);
  }

  OptimizerState own_state() const override {
    return {fmt::format("plateau over {}", options_.over), {seen_}, losses_};
  }
  void take_own_state(const OptimizerState& own) override {
    if (own.counts[0] < 0) throw std::invalid_argument("the saved losses have a negative count");
    seen_ = own.counts[0];
    losses_ = own.numbers;
  }

  PlateauOptions options_;
  std::vector<double> losses_;  // the newest of 2 * over, in a ring
  std::int64_t seen_ = 0;
};

}  // namespace

std::unique_ptr<OptimizationMethod> stopping_on_plateau(std::unique_ptr<OptimizationMethod> method,
                                                        const PlateauOptions& options) {
  return std::make_unique<Plateau>(std::move(method), options);
}

}  // namespace gramflow
