#pragma once
// Total variation of pictures in several shapes; the formulas are in framework/ops/variation.h. Same contract
// as kernels.h.
#include <cstddef>

#include "framework/ops/variation.h"
#include "framework/tensor/tensor.h"

namespace gramflow::cpu {

using gramflow::VariationKind;

std::size_t variation_scratch(Shape picture);
/// `scales`: one a channel. A mean over nothing (one row or column) is 0.
double variation(VariationKind kind, TensorView picture, double weight, const double* scales, void* scratch);
/// result (+)= its gradient; sign(0) = 0.
void variation_backward(VariationKind kind, TensorView picture, double weight, const double* scales,
                        TensorView result, bool accumulate);

}  // namespace gramflow::cpu
