#pragma once
// Single-threaded sums over a run of floats, in double. Their order depends on the vectors' length only.
#include <cstddef>

namespace gramflow::cpu {

double sum_products(const float* a, const float* b, std::size_t count);
/// Sum of (a - b)^2 and of |a - b|.
double sum_squared_differences(const float* a, const float* b, std::size_t count);
double sum_absolute_differences(const float* a, const float* b, std::size_t count);
float largest_magnitude(const float* a, std::size_t count);
/// True when no element is NaN or infinite.
bool only_finite(const float* a, std::size_t count);

}  // namespace gramflow::cpu
