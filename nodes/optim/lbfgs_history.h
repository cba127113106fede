#pragma once
// The past of L-BFGS: up to `capacity` pairs of a step s and the change y of the gradient over it, and the
// direction they propose. Two passes over memory an iteration, whatever the number of pairs.
#include <cstdint>
#include <span>
#include <vector>

#include "nodes/optim/saved_numbers.h"

namespace gramflow {

/// Sums and maxima of a gradient.
struct GradientSize {
  double squared = 0;   ///< g . g
  double absolute = 0;  ///< sum of |g|
  double max_abs = 0;
};

/// What a direction is like.
struct DirectionSize {
  double slope = 0;    ///< g . d
  double max_abs = 0;  ///< of d
};

class LbfgsHistory {
 public:
  explicit LbfgsHistory(int capacity);

  static std::size_t state_floats(std::int64_t elements, int capacity) {
    return 2 * static_cast<std::size_t>(capacity) * static_cast<std::size_t>(elements);
  }
  /// `state` is of state_floats(), borrowed. Forgets the past. Allocates; the other functions do not.
  void bind(std::int64_t elements, std::span<float> state);
  void forget();
  bool empty() const { return count_ == 0; }
  int pairs() const { return count_; }

  /// Remembers s = step * direction and y = gradient - before, forgetting the oldest pair when full, and
  /// measures the gradient in the same pass.
  GradientSize learn(double step, std::span<const float> direction, std::span<const float> before,
                     std::span<const float> gradient);
  /// Measures the gradient for a direction from the pairs there are.
  GradientSize look(std::span<const float> gradient);

  /// After learn() or look() of the same gradient: direction = -H gradient, H the inverse Hessian that the
  /// pairs suggest; -gradient without pairs. Copies x and the gradient on the way.
  DirectionSize propose(std::span<const float> gradient, std::span<float> direction, std::span<const float> x,
                        std::span<float> x_copy, std::span<float> gradient_copy);

  /// Everything that is not in `state`, after what is in `to` already; restore() takes it back in that order.
  void save(OptimizerState& to) const;
  void restore(SavedNumbers& from);

 private:
  std::span<float> step_of(int slot) const;
  std::span<float> change_of(int slot) const;
  /// Slot of a pair by age: 0 is the oldest.
  int slot(int age) const { return (oldest_ + age) % capacity_; }
  double& at(std::vector<double>& matrix, int a, int b) const {
    return matrix[static_cast<std::size_t>(a * capacity_ + b)];
  }
  /// Where the partial sums of a block go.
  double* sums_of_block(std::int64_t block) { return partial_.data() + block * sums_a_block(); }
  std::int64_t sums_a_block() const { return 4 * capacity_ + 3; }
  GradientSize add_up(int pairs, bool learned);
  void compute_coefficients();

  int capacity_;
  std::size_t elements_ = 0;
  std::span<float> state_;
  int oldest_ = 0;
  int count_ = 0;
  // Products of pairs, by slot. step_change_[a, b] = s_a . y_b is kept for a not younger than b.
  std::vector<double> step_change_, change_change_;
  std::vector<double> step_gradient_, change_gradient_;        // with the gradient looked at last
  std::vector<double> step_coefficient_, change_coefficient_;  // of the direction, by slot
  double gradient_coefficient_ = -1;
  std::vector<double> partial_;  // sums of each block
};

}  // namespace gramflow
