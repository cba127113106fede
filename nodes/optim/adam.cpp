// Adam (Kingma and Ba 2015) as torch.optim.Adam computes it, with a learning rate that falls in steps. One
// pass over memory a step. A step is never made from a loss or a gradient that is not finite: x then still is
// the last point that led to finite numbers, or, when it is x itself that went astray, the point before,
// which is why the last x is kept.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/devices/cpu/vectors.h"
#include "nodes/optim/method.h"
#include "nodes/optim/saved_numbers.h"

namespace gramflow {
namespace {

class Adam final : public OptimizationMethod {
 public:
  explicit Adam(const AdamOptions& options) : options_(options) {}

  std::size_t state_floats(std::int64_t elements) const override {
    return 3 * static_cast<std::size_t>(elements);
  }

  void bind(std::int64_t elements, std::span<float> state) override {
    if (elements < 1) throw std::invalid_argument("Adam: nothing to optimise");
    if (state.size() < state_floats(elements)) throw std::invalid_argument("Adam: the state is too small");
    const auto size = static_cast<std::size_t>(elements);
    first_moment_ = state.subspan(0, size);
    second_moment_ = state.subspan(size, size);
    last_x_ = state.subspan(2 * size, size);
    cpu::fill(0, first_moment_);
    cpu::fill(0, second_moment_);
    scratch_.resize(cpu::reduction_scratch(elements));
    steps_ = 0;
  }

  /// A step changes nothing before its only evaluation is done.
  void rewind(std::span<float>, std::span<float>) override {}
  std::int64_t known_evaluation() const override { return -1; }

  OptimizerState save_state() const override { return {layout(), {steps_}, {}}; }
  void restore_state(const OptimizerState& saved) override {
    SavedNumbers numbers(saved, layout());
    steps_ = numbers.count();
    numbers.finish();
  }

  StepResult step(std::int64_t iteration, std::span<float> x, std::span<float> gradient,
                  Evaluate evaluate) override {
    StepResult result;
    const Evaluated here = evaluate();
    result.loss = here.loss;
    result.evaluation = here.index;
    result.evaluations = 1;
    if (!std::isfinite(result.loss) || !cpu::all_finite(gradient, scratch_.data())) {
      give_up(x, result);
      return result;
    }
    cpu::copy(x, last_x_);
    ++steps_;
    cpu::adam_step({rate_at(iteration), options_.beta1, options_.beta2, options_.epsilon, steps_}, gradient,
                   first_moment_, second_moment_, x);
    return result;
  }

 private:
  std::string layout() const { return fmt::format("adam 1, {} elements", first_moment_.size()); }

  double rate_at(std::int64_t iteration) const {
    if (options_.decay_every <= 0) return options_.learning_rate;
    return options_.learning_rate *
           std::pow(options_.decay_factor, static_cast<double>(iteration / options_.decay_every));
  }

  void give_up(std::span<float> x, StepResult& result) {
    result.stopped = result.failed = true;
    result.reason = std::isfinite(result.loss) ? "the gradient is not finite" : "the loss is not finite";
    if (steps_ == 0) {
      result.reason += " at the very start";
      return;
    }
    cpu::copy(last_x_, x);
    result.reason += fmt::format("; the learning rate of {} may be too large", options_.learning_rate);
  }

  AdamOptions options_;
  std::span<float> first_moment_, second_moment_, last_x_;
  std::vector<std::byte> scratch_;
  std::int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<OptimizationMethod> make_adam(const AdamOptions& options) {
  return std::make_unique<Adam>(options);
}

}  // namespace gramflow
