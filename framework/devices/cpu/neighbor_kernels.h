#pragma once
// The inner step of the nearest-neighbour search, for whatever instruction set runs. Single-threaded.
#include <cstddef>
#include <cstdint>

namespace gramflow::cpu {

/// Candidates are searched in panels of this many, so that a panel's products stay in the first-level cache.
inline constexpr std::size_t neighbor_panel = 256;
inline constexpr std::size_t neighbor_rows = 24;  ///< rows of one call at most

/// For `rows` x `depth` values the number of the candidate with the largest product, the first of equals.
/// Candidate j is column j of `candidates`, depth x `stride`; stride is `count` rounded up to 16, and what is
/// between is readable.
void best_candidates(const float* values, std::size_t rows, std::size_t depth, const float* candidates,
                     std::size_t count, std::size_t stride, std::int32_t* best);

}  // namespace gramflow::cpu
