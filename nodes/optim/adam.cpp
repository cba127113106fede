// Adam (Kingma and Ba 2015) as torch.optim.Adam computes it, in a box when there is one: each step ends with
// bringing x back into it, which keeps the moments as they are. One pass over memory a step.
//
// Epsilon keeps the division by sqrt(v) finite where the gradient has always been small. PyTorch's is a number
// (1e-8) beside the gradient of whatever unit the loss has; gradients of mean losses over millions of values are
// as small. Unless a number is given, epsilon is therefore relative_epsilon times the root mean square of the
// gradient, over all elements and, with v's weights, over time:
//   V_t = beta2 V_(t-1) + (1 - beta2) mean(g_t^2),  epsilon_t = relative_epsilon sqrt(V_t / (1 - beta2^t))
// and the gradient is multiplied by the power of two that brings the first one's size near 1, so that squares
// neither vanish nor overflow. A loss multiplied by anything then leads the same way.
//
// A step is never made from a loss or a gradient that is not finite: x goes back to the last point that led to
// finite numbers, which is why that one is kept, and the steps from there go at half the rate. When nothing comes
// of that many times over, or the start itself is not finite, the method has failed.
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

constexpr int retreats_in_a_row = 16;  // the rate is then 65536 times smaller

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
    steps_ = retreats_ = 0;
    moved_ = went_back_ = false;
    mean_square_ = 0;
    gradient_scale_ = rate_factor_ = 1;
  }

  /// A step changes nothing before its only evaluation is done.
  void rewind(std::span<float>, std::span<float>) override {}
  std::int64_t known_evaluation() const override { return -1; }
  bool go_back(std::span<float> x) override {
    if (!moved_ || went_back_) return false;
    cpu::copy(last_x_, x);
    return went_back_ = true;
  }

  std::optional<Moments> moments() override {
    return Moments{first_moment_, second_moment_, steps_, mean_square_, gradient_scale_};
  }
  void go_on_from(const Moments& other) override {
    steps_ = other.steps;
    mean_square_ = other.mean_square;
    gradient_scale_ = other.gradient_scale;
    if (!options_.epsilon || gradient_scale_ == 1) return;
    cpu::axpby(0, first_moment_, 1 / gradient_scale_, first_moment_);
    cpu::axpby(0, second_moment_, 1 / (gradient_scale_ * gradient_scale_), second_moment_);
    gradient_scale_ = 1;
  }

  OptimizerState save_state() const override {
    return {layout(), {steps_, moved_, went_back_, retreats_}, {mean_square_, gradient_scale_, rate_factor_}};
  }
  void restore_state(const OptimizerState& saved) override {
    SavedNumbers numbers(saved, layout());
    steps_ = numbers.count();
    moved_ = numbers.flag();
    went_back_ = numbers.flag();
    retreats_ = numbers.count(0, retreats_in_a_row);
    for (double* number : {&mean_square_, &gradient_scale_, &rate_factor_}) *number = numbers.number();
    numbers.finish();
  }

  StepResult step(std::int64_t iteration, std::span<float> x, std::span<float> gradient,
                  Evaluate evaluate) override {
    StepResult result;
    const Evaluated here = evaluate();
    result.loss = here.loss;
    result.evaluation = here.index;
    result.evaluations = 1;
    const double squares = cpu::dot(gradient, gradient, scratch_.data());  // finite when all elements are
    if (!std::isfinite(result.loss) || !std::isfinite(squares)) {
      result.moved = false;
      retreat(iteration, x, result);
      return result;
    }
    if (!went_back_) retreats_ = 0;
    went_back_ = false;
    ++steps_;
    const double epsilon = options_.epsilon ? *options_.epsilon : own_epsilon(squares);
    cpu::copy(x, last_x_);
    moved_ = true;
    cpu::adam_step({rate_at(iteration), options_.beta1, options_.beta2, epsilon, steps_, gradient_scale_},
                   gradient, first_moment_, second_moment_, x);
    if (options_.box) cpu::clamp(*options_.box, x);
    return result;
  }

 private:
  std::string layout() const { return fmt::format("adam 2, {} elements", first_moment_.size()); }

  double rate_at(std::int64_t iteration) const { return options_.learning_rate.at(iteration) * rate_factor_; }

  /// Takes the gradient's sum of squares into account.
  double own_epsilon(double squares) {
    const double mean = squares / static_cast<double>(first_moment_.size());
    fit_scale(std::sqrt(mean));
    mean_square_ =
        options_.beta2 * mean_square_ + (1 - options_.beta2) * mean * gradient_scale_ * gradient_scale_;
    const double counted = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
    return std::max(relative_epsilon * std::sqrt(mean_square_ / counted),
                    1e-30);  // of a gradient of zeros: no 0/0
  }

  /// `size`: of the gradient.
  void fit_scale(double size) {
    if (size == 0) return;
    if (mean_square_ == 0) {
      gradient_scale_ = std::ldexp(1.0, std::clamp(-std::ilogb(size), -120, 120));
    } else if (size * gradient_scale_ > 0x1p40) {
      gradient_scale_ *= 0x1p-40;
      mean_square_ *= 0x1p-80;
      cpu::axpby(0, first_moment_, 0x1p-40, first_moment_);
      cpu::axpby(0, second_moment_, 0x1p-80, second_moment_);
    }
  }

  void retreat(std::int64_t iteration, std::span<float> x, StepResult& result) {
    const char* what = std::isfinite(result.loss) ? "the gradient is not finite" : "the loss is not finite";
    if (!moved_) {
      result.stopped = result.failed = true;
      result.reason = fmt::format("{} at the very start", what);
      return;
    }
    cpu::copy(last_x_, x);
    if (retreats_ == retreats_in_a_row) {
      result.stopped = result.failed = true;
      result.reason = fmt::format("{}, even {} times in a row with half the learning rate, at last {:.3g}",
                                  what, retreats_, rate_at(iteration));
      return;
    }
    ++retreats_;
    rate_factor_ /= 2;
    result.went_back = went_back_ = true;
    if (!cpu::all_finite(first_moment_, scratch_.data()) ||
        !cpu::all_finite(second_moment_, scratch_.data())) {
      cpu::fill(0, first_moment_);
      cpu::fill(0, second_moment_);
      steps_ = 0;
      mean_square_ = 0;
    }
    result.reason =
        fmt::format("{}: back to the last picture where it was, and on with a learning rate of {:.3g}", what,
                    rate_at(iteration + 1));
  }

  AdamOptions options_;
  std::span<float> first_moment_, second_moment_, last_x_;
  std::vector<std::byte> scratch_;
  std::int64_t steps_ = 0;     // what the moments hold, also of a run before
  double mean_square_ = 0;     // of the scaled gradient, with v's weights
  double gradient_scale_ = 1;  // a power of two; 1 when epsilon is given
  double rate_factor_ = 1;     // halved at every retreat
  std::int64_t retreats_ = 0;  // one after the other
  bool moved_ = false;         // last_x_ holds a point
  bool went_back_ = false;     // x is last_x_, evaluated before
};

}  // namespace

std::unique_ptr<OptimizationMethod> make_adam(const AdamOptions& options) {
  return std::make_unique<Adam>(options);
}

}  // namespace gramflow
