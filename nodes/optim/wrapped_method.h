#pragma once
// A method around another one: everything is handed through, so that a wrapper says only what it adds. Its
// numbers stand behind the inner method's in a saved state, its vectors behind the inner one's in the state
// memory.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "framework/ops/optimization_method.h"

namespace gramflow {

class WrappedMethod : public OptimizationMethod {
 public:
  std::size_t state_floats(std::int64_t elements) const override { return inner_->state_floats(elements); }
  void bind(std::int64_t elements, std::span<float> state) override { inner_->bind(elements, state); }
  StepResult step(std::int64_t iteration, std::span<float> x, std::span<float> gradient,
                  Evaluate evaluate) override {
    return inner_->step(iteration, x, gradient, evaluate);
  }
  void rewind(std::span<float> x, std::span<float> gradient) override { inner_->rewind(x, gradient); }
  std::int64_t known_evaluation() const override { return inner_->known_evaluation(); }
  bool go_back(std::span<float> x) override { return inner_->go_back(x); }
  bool shows_other() const override { return inner_->shows_other(); }
  void show(std::span<float> x) override { inner_->show(x); }
  void conceal(std::span<float> x) override { inner_->conceal(x); }
  std::optional<Moments> moments() override { return inner_->moments(); }
  void go_on_from(const Moments& other) override { inner_->go_on_from(other); }

  OptimizerState save_state() const final {
    OptimizerState saved = inner_->save_state();
    const OptimizerState mine = own_state();
    saved.layout = mine.layout + " of " + saved.layout;
    saved.counts.insert(saved.counts.end(), mine.counts.begin(), mine.counts.end());
    saved.numbers.insert(saved.numbers.end(), mine.numbers.begin(), mine.numbers.end());
    return saved;
  }
  void restore_state(const OptimizerState& saved) final;

 protected:
  explicit WrappedMethod(std::unique_ptr<OptimizationMethod> inner) : inner_(std::move(inner)) {}
  OptimizationMethod& inner() { return *inner_; }
  const OptimizationMethod& inner() const { return *inner_; }
  /// Always of as many numbers for one layout.
  virtual OptimizerState own_state() const = 0;
  virtual void take_own_state(const OptimizerState& own) = 0;

 private:
  std::unique_ptr<OptimizationMethod> inner_;
};

}  // namespace gramflow
