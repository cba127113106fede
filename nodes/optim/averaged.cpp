// The average of iterates (Polyak and Juditsky 1992, with weights that fall exponentially). Kept are the sum
// over the points that the method went on from, and the newest point, which joins the sum with the next step:
// only then is it known that the loss there is finite. Between two steps the newest point is x itself, so x can
// be put back when the average has been shown in its place.
#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "framework/devices/cpu/vectors.h"
#include "nodes/optim/method.h"
#include "nodes/optim/wrapped_method.h"

namespace gramflow {
namespace {

class Averaged final : public WrappedMethod {
 public:
  Averaged(std::unique_ptr<OptimizationMethod> method, double decay)
      : WrappedMethod(std::move(method)), decay_(decay) {
    if (!(decay > 0 && decay < 1))
      throw std::invalid_argument("the decay of an average lies between 0 and 1");
  }

  std::size_t state_floats(std::int64_t elements) const override {
    return inner().state_floats(elements) + 2 * static_cast<std::size_t>(elements);
  }

  void bind(std::int64_t elements, std::span<float> state) override {
    if (state.size() < state_floats(elements)) throw std::invalid_argument("average: the state is too small");
    const auto size = static_cast<std::size_t>(elements);
    const std::size_t inner_floats = inner().state_floats(elements);
    inner().bind(elements, state.first(inner_floats));
    sum_ = state.subspan(inner_floats, size);
    newest_ = state.subspan(inner_floats + size, size);
    cpu::fill(0, sum_);
    summed_ = 0;
    pending_ = begun_ = false;
  }

  StepResult step(std::int64_t iteration, std::span<float> x, std::span<float> gradient,
                  Evaluate evaluate) override {
    if (!begun_) {
      cpu::copy(x, newest_);
      begun_ = pending_ = true;
    }
    StepResult result = inner().step(iteration, x, gradient, evaluate);
    // A method that went back, or gave up, stands at a point that has been counted.
    const bool good = !result.failed && !result.went_back;
    if (good && pending_) commit();
    pending_ = good;
    cpu::copy(x, newest_);
    return result;
  }

  bool go_back(std::span<float> x) override {
    if (!inner().go_back(x)) return false;
    pending_ = false;
    cpu::copy(x, newest_);
    return true;
  }
  bool shows_other() const override { return begun_; }
  void show(std::span<float> x) override {
    if (!begun_) return;
    const auto terms = static_cast<double>(summed_ + (pending_ ? 1 : 0));
    if (terms == 0) return;
    const double whole = 1 - std::pow(decay_, terms);
    if (pending_)
      cpu::axpby(decay_ / whole, sum_, (1 - decay_) / whole, x);
    else
      cpu::axpby(1 / whole, sum_, 0, x);
  }
  void conceal(std::span<float> x) override {
    if (begun_) cpu::copy(newest_, x);
  }

 private:
  OptimizerState own_state() const override {
    return {fmt::format("average {}", decay_), {summed_, pending_, begun_}, {}};
  }
  void take_own_state(const OptimizerState& own) override {
    for (const std::int64_t number : own.counts)
      if (number < 0) throw std::invalid_argument("the saved average has a negative count");
    summed_ = own.counts[0];
    pending_ = own.counts[1] != 0;
    begun_ = own.counts[2] != 0;
  }

  void commit() {
    cpu::axpby(1 - decay_, newest_, decay_, sum_);
    ++summed_;
  }

  double decay_;
  std::span<float> sum_, newest_;
  std::int64_t summed_ = 0;  // points in the sum
  bool pending_ = false;     // newest_ is not in it yet
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<OptimizationMethod> averaged(std::unique_ptr<OptimizationMethod> method, double decay) {
  return std::make_unique<Averaged>(std::move(method), decay);
}

}  // namespace gramflow
