#pragma once
// Single-threaded sums over floats, in double. Their order depends on the length of the vectors and of the
// runs only, not on what lies between these.
#include <cstddef>

namespace gramflow::cpu {

double sum_products(const float* a, const float* b, std::size_t count);
/// `rows` rows of `count` floats, `stride` floats from one to the next, cut into `runs` runs of `run` floats;
/// the last of them may be shorter or empty.
struct FloatRows {
  std::size_t rows, count, stride, run, runs;
};
inline constexpr std::size_t most_runs = 8;
/// sums[step * k] = sum of (a - b)^2, or of |a - b|, over all rows of the k-th run.
void sum_squared_differences(const float* a, const float* b, const FloatRows& rows, double* sums,
                             std::size_t step);
void sum_absolute_differences(const float* a, const float* b, const FloatRows& rows, double* sums,
                              std::size_t step);
float largest_magnitude(const float* a, std::size_t count);
/// True when no element is NaN or infinite.
bool only_finite(const float* a, std::size_t count);

}  // namespace gramflow::cpu
