#pragma once
// What stands outside a picture's edge.
#include <cstdint>

#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

/// The position inside [0, size) that `position` reads, or -1 for a zero. Reflection does not repeat the edge
/// (-1 reads 1) and goes on bouncing in pictures narrower than the padding; in a picture of one pixel it
/// reads that pixel.
std::int64_t border_source(std::int64_t position, std::int64_t size, Border border);

/// Copies `rows` x `columns` pixels starting at (top, left), which may lie outside, from an image of `shape`.
void gather_with_border(const float* image, Shape shape, Border border, std::int64_t top, std::int64_t left,
                        std::int64_t rows, std::int64_t columns, float* to);

}  // namespace gramflow::cpu
