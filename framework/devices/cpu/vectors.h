#pragma once
// The vocabulary that optimisers are written in: passes over whole vectors, named by what they are for. An
// optimiser does arithmetic on the numbers that come back and nothing else, so a device that offers these
// passes runs every optimiser.
//
// Vectors of one call have the same length. Sums are in double, cut by length alone and added in order: the
// same bits for any number of threads. Nothing allocates. Scratch is memory of the size that
// reduction_scratch or lbfgs_scratch answers; its contents need not be initialised and mean nothing
// afterwards. Any thread may call, several at once, as long as what they write does not overlap.
#include <cstddef>
#include <cstdint>
#include <span>

namespace gramflow::cpu {

/// Bytes for dot, max_abs and all_finite.
std::size_t reduction_scratch(std::int64_t elements);
double dot(std::span<const float> a, std::span<const float> b, void* scratch);
double max_abs(std::span<const float> a, void* scratch);
/// False when any element is NaN or infinite.
bool all_finite(std::span<const float> a, void* scratch);
/// Tells vectors apart whose bits differ; 64 bits, the same on every machine.
std::uint64_t checksum(std::span<const float> a);
/// y = alpha * x + beta * y (beta 0: y is not read)
void axpby(double alpha, std::span<const float> x, double beta, std::span<float> y);
void copy(std::span<const float> from, std::span<float> to);
void fill(float value, std::span<float> to);

/// One pass: g = scale * gradient; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; x -= rate * (m/c1) / (sqrt(v/c2) +
/// eps), c = 1 - b^step.
struct AdamConstants {
  double learning_rate, beta1, beta2, epsilon;
  std::int64_t step;  ///< from 1
  double gradient_scale = 1;
};
void adam_step(const AdamConstants& constants, std::span<const float> gradient, std::span<float> first_moment,
               std::span<float> second_moment, std::span<float> x);

// --- L-BFGS. Two passes an iteration whatever the number of pairs: one that looks at the gradient, one that
// proposes a direction. Pairs are always given from the oldest to the newest.

/// A step s and the change y of the gradient over it.
struct LbfgsPair {
  std::span<float> step, change;
};

/// Inner products of a pair (s, y).
struct LbfgsProducts {
  double step_change = 0;      ///< s . y of the newest pair
  double change_change = 0;    ///< y . y of the newest pair
  double step_gradient = 0;    ///< s . gradient
  double change_gradient = 0;  ///< y . gradient
};

struct LbfgsCoefficients {
  double step = 0, change = 0;
};

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

/// Bytes for the passes with at most so many pairs.
std::size_t lbfgs_scratch(std::int64_t elements, int pairs);
/// Writes the newest pair, s = step * direction and y = gradient - before, and then finds all products.
GradientSize lbfgs_learn(double step, std::span<const float> direction, std::span<const float> before,
                         std::span<const float> gradient, std::span<const LbfgsPair> pairs,
                         std::span<LbfgsProducts> products, void* scratch);
/// Finds the products with the gradient only. There may be no pairs.
GradientSize lbfgs_look(std::span<const float> gradient, std::span<const LbfgsPair> pairs,
                        std::span<LbfgsProducts> products, void* scratch);
/// direction = factor * gradient + sum of the pairs times their coefficients. Copies x and the gradient on
/// the way.
DirectionSize lbfgs_propose(double factor, std::span<const float> gradient, std::span<const LbfgsPair> pairs,
                            std::span<const LbfgsCoefficients> coefficients, std::span<float> direction,
                            std::span<const float> x, std::span<float> x_copy, std::span<float> gradient_copy,
                            void* scratch);

}  // namespace gramflow::cpu
