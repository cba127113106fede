#pragma once
// The past of L-BFGS: up to `capacity` pairs of a step s and the change y of the gradient over it, and the
// direction they propose. Two passes over memory an iteration, whatever the number of pairs.
#include <cstdint>
#include <span>
#include <vector>

#include "framework/devices/cpu/box.h"
#include "nodes/optim/saved_numbers.h"

namespace gramflow {

class LbfgsHistory {
 public:
  explicit LbfgsHistory(int capacity);

  static std::size_t state_floats(std::int64_t elements, int capacity) {
    return 2 * static_cast<std::size_t>(capacity) * static_cast<std::size_t>(elements);
  }
  /// `state` is of state_floats(), borrowed; `free`, a byte an element, is needed in a box only. Forgets the past.
  /// Allocates; the other functions do not.
  void bind(std::int64_t elements, std::span<float> state, std::span<std::uint8_t> free = {});
  void forget();
  bool empty() const { return count_ == 0; }
  int pairs() const { return count_; }

  /// Remembers s = step * direction and y = gradient - before, forgetting the oldest pair when full, and
  /// measures the gradient in the same pass.
  cpu::GradientSize learn(double step, std::span<const float> direction, std::span<const float> before,
                          std::span<const float> gradient);
  /// Measures the gradient for a direction from the pairs there are.
  cpu::GradientSize look(std::span<const float> gradient);

  /// After learn() or look() of the same gradient: direction = -H gradient, H the inverse Hessian that the
  /// pairs suggest; -gradient without pairs. Copies x and the gradient on the way.
  cpu::DirectionSize propose(std::span<const float> gradient, std::span<float> direction,
                             std::span<const float> x, std::span<float> x_copy,
                             std::span<float> gradient_copy);

  // --- In a box. The vectors are the same, what is kept beside them is not: a history is used in one way only.

  /// Remembers s = x - x_before and y = gradient - before, forgetting the oldest pair when full.
  void append(std::span<const float> x, std::span<const float> x_before, std::span<const float> gradient,
              std::span<const float> before);
  /// Measures the gradient and all pairs over the elements that are free at x. Pairs that do not curve upwards
  /// there will be left out.
  cpu::GradientSize look_free(const cpu::Box& box, std::span<const float> x, std::span<const float> gradient);
  /// After look_free(): how many pairs the direction is made of.
  int used() const { return static_cast<int>(used_products_.size()); }
  /// After look_free() of the same gradient: the direction of the problem in which held elements stand still, 0
  /// for these.
  void propose_free(std::span<const float> gradient, std::span<float> direction);

  /// Everything that is not in `state`, after what is in `to` already; restore() takes it back in that order.
  void save(OptimizerState& to) const;
  void restore(SavedNumbers& from);

 private:
  /// Slot of a pair by age: 0 is the oldest.
  int slot(int age) const { return (oldest_ + age) % capacity_; }
  cpu::LbfgsPair pair_in(int slot) const;
  void make_room();
  /// The pairs there are, from the oldest to the newest.
  std::span<const cpu::LbfgsPair> by_age();
  std::span<cpu::LbfgsProducts> products() { return {products_.data(), static_cast<std::size_t>(count_)}; }
  double& at(std::vector<double>& matrix, int a, int b) const {
    return matrix[static_cast<std::size_t>(a * capacity_ + b)];
  }
  /// Inner products by age.
  double step_change(int a, int b) { return at(step_change_, slot(a), slot(b)); }
  double change_change(int a, int b) { return at(change_change_, slot(a), slot(b)); }
  void compute_coefficients();

  int capacity_;
  std::size_t elements_ = 0;
  std::span<float> state_;
  int oldest_ = 0;
  int count_ = 0;
  // Products of pairs, by slot. step_change_[a, b] = s_a . y_b is kept for a not younger than b.
  std::vector<double> step_change_, change_change_;
  // By age: those with the gradient looked at last, and what the direction is made of.
  std::vector<cpu::LbfgsProducts> products_;
  std::vector<cpu::LbfgsCoefficients> coefficients_;
  std::vector<cpu::LbfgsPair> pairs_;
  double gradient_coefficient_ = -1;
  std::vector<std::byte> scratch_;
  // In a box:
  std::span<std::uint8_t> free_;
  std::vector<cpu::FreeProducts> free_products_, used_products_;
  std::vector<cpu::LbfgsPair> used_pairs_;
  std::vector<double> alpha_;
};

}  // namespace gramflow
