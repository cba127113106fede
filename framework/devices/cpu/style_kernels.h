#pragma once
// Sums and gradients of the losses beyond mean squared error. Same contract as kernels.h.
#include <cstddef>

#include "framework/tensor/tensor.h"

namespace gramflow::cpu {

/// Sums over all elements of (a - b)^2 and |a - b|.
struct DifferenceSums {
  double squares = 0;
  double magnitudes = 0;
};
std::size_t difference_sums_scratch(Shape shape);
DifferenceSums difference_sums(TensorView a, TensorView b, void* scratch);
/// result (+)= linear (a - b) + constant sign(a - b); sign(0) = 0. `result` may be the memory of a (without
/// accumulate).
void difference_gradient(TensorView a, TensorView b, double linear, double constant, TensorView result,
                         bool accumulate);

/// Mean and mean square of each channel, in double. Both are `channels` doubles; either may be null.
std::size_t channel_moments_scratch(Shape features);
void channel_moments(TensorView features, double* mean, double* mean_square, void* scratch);
/// result (+)= (mean_gradient + 2 features square_gradient) / pixels. A null gradient is 0.
void channel_moments_backward(TensorView features, const double* mean_gradient, const double* square_gradient,
                              TensorView result, bool accumulate);

}  // namespace gramflow::cpu
