#pragma once
// 2x2 pooling with stride 2 of any kind, times a factor. Same contract as kernels.h; Pool of kernels.h is the
// fast way where the factor is 1.
#include "framework/ops/scaled_pool.h"
#include "framework/tensor/tensor.h"

namespace gramflow::cpu {

using gramflow::PoolingKind;

/// scale * (largest | mean | root of the sum of squares) of each 2x2; an odd last row or column is left out.
void scaled_pool(PoolingKind kind, float scale, TensorView input, TensorView output);
/// result (+)= its gradient. A maximum's goes to the first in row order; l2's is 0 where all four are 0.
/// `input` is not read for averages.
void scaled_pool_backward(PoolingKind kind, float scale, TensorView gradient, TensorView input,
                          TensorView result, bool accumulate);

}  // namespace gramflow::cpu
