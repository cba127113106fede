#pragma once
// The inner steps of Gram matrices on one block of pixels, for whatever instruction set runs.
// Single-threaded; channels are a multiple of 16.
#include <cstddef>

namespace gramflow::cpu {

/// partial[i][j] = sum over the pixels of features[p][i] * features[p][j], for the rows i in [first, last)
/// and the columns j in [0, i] at least. `partial` is channels x channels.
void gram_block(const float* features, std::size_t pixels, std::size_t channels, std::size_t first,
                std::size_t last, float* partial);

/// result = features * matrix for a block of pixels. They must not overlap.
void gram_backward_block(const float* features, const float* matrix, std::size_t pixels, std::size_t channels,
                         float* result);

}  // namespace gramflow::cpu
