#pragma once
// What is fused to a convolution, for one band of whole rows: outputs beside the plain one, and gradients
// that come through a pooling. All single-threaded; called from inside a parallel_for.
#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

/// From rows [top, bottom) of the finished output (in `band`, after ReLU), writes mask, pooled and index.
/// `top` is even.
void write_side_outputs(const float* band, Shape output, std::int64_t top, std::int64_t bottom,
                        const ConvolutionOutputs& outputs);

/// Copies `rows` x `columns` pixels from (top, left) of the H x W x out gradient, zero outside of it,
/// wherever it comes from.
void gather_gradient(const ConvolutionGradient& gradient, Shape output, std::int64_t top, std::int64_t left,
                     std::int64_t rows, std::int64_t columns, float* to);

/// Rows [top, bottom) of the result from their plain values in `band`: accumulates and masks as `gradient`
/// asks.
void write_result(const float* band, Shape input, std::int64_t top, std::int64_t bottom,
                  const ConvolutionGradient& gradient);

}  // namespace gramflow::cpu
