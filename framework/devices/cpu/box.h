#pragma once
// Passes over vectors that have to stay in a box: what projected methods are written in, beside vectors.h,
// whose rules hold here too. A box has bounds for each of three channels that lie one after the other, pixel by
// pixel, as in a picture.
//
// An element is *held* when it lies at a bound and going down its gradient would lead out of the box. The
// others are free.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "framework/devices/cpu/vectors.h"

namespace gramflow::cpu {

struct Box {
  std::array<float, 3> low = {0, 0, 0}, high = {1, 1, 1};
  bool operator==(const Box&) const = default;
};

/// How many elements of a vector lie where.
struct BoxShares {
  double at_bounds = 0;  ///< at a bound or beyond it
  double outside = 0;    ///< beyond one
};

/// Brings every element into the box; NaN stays.
void clamp(const Box& box, std::span<float> x);
/// Shares of all elements, 0 to 1. Scratch: box_scratch.
BoxShares box_shares(const Box& box, std::span<const float> x, void* scratch);
/// x = start + step * direction, brought into the box.
void step_in_box(const Box& box, double step, std::span<const float> direction, std::span<const float> start,
                 std::span<float> x);
/// gradient . (step_in_box(...) - start). Scratch: box_scratch.
double gain_in_box(const Box& box, double step, std::span<const float> direction,
                   std::span<const float> start, std::span<const float> gradient, void* scratch);
/// The slope along the bent path at x, with the gradient there: elements that the box stops do not count.
/// Scratch: box_scratch.
double slope_in_box(const Box& box, std::span<const float> direction, std::span<const float> x,
                    std::span<const float> gradient, void* scratch);
/// Direction 0 for held elements; what it is like then. Scratch: box_scratch.
DirectionSize hold_in_box(const Box& box, std::span<const float> x, std::span<const float> gradient,
                          std::span<float> direction, void* scratch);

/// Bytes for the above.
std::size_t box_scratch(std::int64_t elements);

/// The newest pair: step = x - x_before, change = gradient - gradient_before.
void lbfgs_difference(std::span<const float> x, std::span<const float> x_before,
                      std::span<const float> gradient, std::span<const float> gradient_before,
                      const LbfgsPair& pair);

/// A pair's products over free elements.
struct FreeProducts {
  double step_change = 0, step_step = 0, change_change = 0;
};
/// Marks what is free at x (1, else 0) and measures the pairs and the gradient over it. There may be no pairs.
/// Scratch: free_scratch.
GradientSize lbfgs_look_free(const Box& box, std::span<const float> x, std::span<const float> gradient,
                             std::span<const LbfgsPair> pairs, std::span<std::uint8_t> free,
                             std::span<FreeProducts> products, void* scratch);
/// The two loops over free elements: direction = -H gradient there, 0 elsewhere. `products` as measured for the
/// same pairs, all of which must curve upwards; `alpha` is room for a number a pair. Scratch: box_scratch.
void lbfgs_propose_free(std::span<const std::uint8_t> free, std::span<const float> gradient,
                        std::span<const LbfgsPair> pairs, std::span<const FreeProducts> products,
                        std::span<double> alpha, std::span<float> direction, void* scratch);
std::size_t free_scratch(std::int64_t elements, int pairs);

}  // namespace gramflow::cpu
