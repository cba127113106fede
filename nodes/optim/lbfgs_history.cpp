// The two-loop recursion (Nocedal and Wright, algorithm 7.4) goes over every stored vector twice, one sum
// after the other: with ten pairs forty passes that each wait for the last. But all it ever forms are linear
// combinations of the pairs and the gradient, so it can run on their inner products alone. Of these only
// those with the newest pair and with the gradient are new, and one pass finds them. The recursion then runs
// on a few hundred numbers, and a second pass adds up the direction. The products are sums in double of exact
// products of floats, so nothing is lost against the loops over float vectors.
#include "nodes/optim/lbfgs_history.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gramflow {

LbfgsHistory::LbfgsHistory(int capacity) : capacity_(capacity) {
  if (capacity < 1) throw std::invalid_argument("L-BFGS needs a history of at least 1 pair");
}

void LbfgsHistory::bind(std::int64_t elements, std::span<float> state, std::span<std::uint8_t> free) {
  elements_ = static_cast<std::size_t>(elements);
  state_ = state;
  const auto pairs = static_cast<std::size_t>(capacity_);
  step_change_.assign(pairs * pairs, 0);
  change_change_.assign(pairs * pairs, 0);
  products_.assign(pairs, {});
  coefficients_.assign(pairs, {});
  pairs_.assign(pairs, {});
  scratch_.resize(cpu::lbfgs_scratch(elements, capacity_));
  free_ = free;
  if (!free.empty()) {
    free_products_.resize(pairs);
    used_products_.reserve(pairs);
    used_pairs_.reserve(pairs);
    alpha_.resize(pairs);
    scratch_.resize(
        std::max({scratch_.size(), cpu::box_scratch(elements), cpu::free_scratch(elements, capacity_)}));
  }
  forget();
}

void LbfgsHistory::forget() {
  oldest_ = count_ = 0;
  used_products_.clear();
  used_pairs_.clear();
}

// The products with the gradient and the coefficients are made anew by look() or learn() before they are
// read.
void LbfgsHistory::save(OptimizerState& to) const {
  to.counts.insert(to.counts.end(), {oldest_, count_});
  to.numbers.insert(to.numbers.end(), step_change_.begin(), step_change_.end());
  to.numbers.insert(to.numbers.end(), change_change_.begin(), change_change_.end());
}

void LbfgsHistory::restore(SavedNumbers& from) {
  oldest_ = static_cast<int>(from.count(0, capacity_ - 1));
  count_ = static_cast<int>(from.count(0, capacity_));
  for (double& product : step_change_) product = from.number();
  for (double& product : change_change_) product = from.number();
}

cpu::LbfgsPair LbfgsHistory::pair_in(int slot) const {
  const std::size_t first = 2 * static_cast<std::size_t>(slot) * elements_;
  return {state_.subspan(first, elements_), state_.subspan(first + elements_, elements_)};
}

std::span<const cpu::LbfgsPair> LbfgsHistory::by_age() {
  for (int age = 0; age < count_; ++age) pairs_[static_cast<std::size_t>(age)] = pair_in(slot(age));
  return {pairs_.data(), static_cast<std::size_t>(count_)};
}

/// For one more pair.
void LbfgsHistory::make_room() {
  if (count_ == capacity_) {
    oldest_ = slot(1);
    --count_;
  }
  ++count_;
}

cpu::GradientSize LbfgsHistory::learn(double step, std::span<const float> direction,
                                      std::span<const float> before, std::span<const float> gradient) {
  make_room();
  const cpu::GradientSize size =
      cpu::lbfgs_learn(step, direction, before, gradient, by_age(), products(), scratch_.data());
  const int newest = slot(count_ - 1);
  for (int age = 0; age < count_; ++age) {
    const cpu::LbfgsProducts& found = products_[static_cast<std::size_t>(age)];
    at(step_change_, slot(age), newest) = found.step_change;
    at(change_change_, slot(age), newest) = at(change_change_, newest, slot(age)) = found.change_change;
  }
  return size;
}

cpu::GradientSize LbfgsHistory::look(std::span<const float> gradient) {
  return cpu::lbfgs_look(gradient, by_age(), products(), scratch_.data());
}

void LbfgsHistory::compute_coefficients() {
  const auto of = [&](int age) -> cpu::LbfgsCoefficients& {
    return coefficients_[static_cast<std::size_t>(age)];
  };
  const auto with_gradient = [&](int age) -> const cpu::LbfgsProducts& {
    return products_[static_cast<std::size_t>(age)];
  };
  // q = -g - sum of change coefficients times y; from the newest to the oldest.
  for (int age = count_ - 1; age >= 0; --age) {
    double product = -with_gradient(age).step_gradient;
    for (int younger = age + 1; younger < count_; ++younger)
      product -= of(younger).change * step_change(age, younger);
    of(age).change = product / step_change(age, age);
  }
  const int newest = count_ - 1;
  const double scale = step_change(newest, newest) / change_change(newest, newest);
  // r = scale q + sum of step coefficients times s; from the oldest to the newest.
  for (int age = 0; age < count_; ++age) {
    double product = -scale * with_gradient(age).change_gradient;
    for (int other = 0; other < count_; ++other)
      product -= scale * of(other).change * change_change(age, other);
    for (int older = 0; older < age; ++older) product += of(older).step * step_change(older, age);
    of(age).step = of(age).change - product / step_change(age, age);
  }
  gradient_coefficient_ = -scale;
  for (int age = 0; age < count_; ++age) of(age).change *= -scale;
}

cpu::DirectionSize LbfgsHistory::propose(std::span<const float> gradient, std::span<float> direction,
                                         std::span<const float> x, std::span<float> x_copy,
                                         std::span<float> gradient_copy) {
  gradient_coefficient_ = -1;
  if (count_ > 0) compute_coefficients();
  const std::span<const cpu::LbfgsPair> pairs = by_age();
  return cpu::lbfgs_propose(gradient_coefficient_, gradient, pairs, {coefficients_.data(), pairs.size()},
                            direction, x, x_copy, gradient_copy, scratch_.data());
}

void LbfgsHistory::append(std::span<const float> x, std::span<const float> x_before,
                          std::span<const float> gradient, std::span<const float> before) {
  make_room();
  cpu::lbfgs_difference(x, x_before, gradient, before, pair_in(slot(count_ - 1)));
}

cpu::GradientSize LbfgsHistory::look_free(const cpu::Box& box, std::span<const float> x,
                                          std::span<const float> gradient) {
  const std::span<const cpu::LbfgsPair> pairs = by_age();
  const cpu::GradientSize size = cpu::lbfgs_look_free(box, x, gradient, pairs, free_,
                                                      {free_products_.data(), pairs.size()}, scratch_.data());
  used_products_.clear();
  used_pairs_.clear();
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const cpu::FreeProducts& found = free_products_[p];
    if (!(found.step_change > 1e-10 * std::sqrt(found.step_step * found.change_change))) continue;
    used_products_.push_back(found);
    used_pairs_.push_back(pairs[p]);
  }
  return size;
}

void LbfgsHistory::propose_free(std::span<const float> gradient, std::span<float> direction) {
  cpu::lbfgs_propose_free(free_, gradient, used_pairs_, used_products_, alpha_, direction, scratch_.data());
}

}  // namespace gramflow
