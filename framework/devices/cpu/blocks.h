#pragma once
// How loops over memory are cut: always by shape, never by thread count.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "framework/base/parallel.h"
#include "framework/tensor/tensor.h"

namespace gramflow::cpu {

inline constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
inline constexpr std::size_t align_up(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Elements of one block of a pass over a vector: 64 KiB of floats, far above what starting a task costs.
inline constexpr std::int64_t vector_block = 16384;

inline std::int64_t vector_blocks(std::int64_t elements) { return divide_up(elements, vector_block); }

/// body(begin, end) for every block of [0, elements).
template <class Body>
void for_vector_blocks(std::int64_t elements, Body&& body) {
  parallel_for(vector_blocks(elements), [&](std::int64_t block, int) {
    const std::int64_t begin = block * vector_block;
    body(begin, std::min(elements, begin + vector_block));
  });
}

/// Sum of partial(begin, end) over the blocks, added in block order. `scratch` holds one double a block.
template <class Partial>
double sum_vector_blocks(std::int64_t elements, void* scratch, Partial&& partial) {
  double* sums = static_cast<double*>(scratch);
  const std::int64_t blocks = vector_blocks(elements);
  parallel_for(blocks, [&](std::int64_t block, int) {
    const std::int64_t begin = block * vector_block;
    sums[block] = partial(begin, std::min(elements, begin + vector_block));
  });
  double sum = 0;
  for (std::int64_t block = 0; block < blocks; ++block) sum += sums[block];
  return sum;
}

/// Rows of an image in one block, so that a block has about `elements` elements; at least one, a multiple of
/// `multiple`.
inline std::int64_t rows_per_block(std::int64_t elements_per_row, std::int64_t elements,
                                   std::int64_t multiple = 1) {
  const std::int64_t rows = std::max<std::int64_t>(1, elements / std::max<std::int64_t>(1, elements_per_row));
  return divide_up(rows, multiple) * multiple;
}

/// Whether a result of this size, at this address, is better written past the caches: it would not stay there
/// until it is read, and fetching what is overwritten anyway costs as much as writing it.
inline bool goes_past_caches(const float* to, Shape shape) {
  constexpr std::int64_t large = std::int64_t{16} << 20;
  return to != nullptr && shape.elements() * static_cast<std::int64_t>(sizeof(float)) >= large &&
         shape.channels % 16 == 0 && reinterpret_cast<std::uintptr_t>(to) % 64 == 0;
}

}  // namespace gramflow::cpu
