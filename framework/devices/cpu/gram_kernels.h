#pragma once
// The inner steps of Gram matrices on a few positions, for whatever instruction set runs. Single-threaded.
#include <cstddef>

namespace gramflow::cpu {

/// `rows` rows of `run` positions each, `stride` floats from one row to the next.
struct GramPositions {
  const float* features;
  std::size_t rows, run, stride, channels;
};

/// Rows [first, last) of a matrix, columns [0, i] of row i. In memory the first row stands at 0, and rows are
/// `width` apart: a multiple of 16 and at least `last`.
struct GramPanel {
  std::size_t first, last, width;
};

/// products[i][j] = sum over the positions, row by row, of features[p][i] * features[p][j]; one chain in
/// float. What the panel does not cover may be overwritten up to the width.
void gram_products(const GramPositions& positions, const GramPanel& panel, float* products);
/// sums (+)= products
void gram_add_products(const float* products, const GramPanel& panel, bool add, double* sums);
/// sums += more
void gram_add_sums(const double* more, const GramPanel& panel, double* sums);

/// result (+)= features * matrix for a block of positions; channels are a multiple of 16. The result must not
/// overlap the others.
void gram_gradient_block(const float* features, const float* matrix, std::size_t positions,
                         std::size_t channels, bool accumulate, float* result);

}  // namespace gramflow::cpu
