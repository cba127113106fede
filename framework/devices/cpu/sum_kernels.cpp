// Each vector of floats is widened to two vectors of doubles, each with its own running sum; the tail is
// summed alone.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/sum_kernels.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "framework/devices/cpu/simd-inl.h"
#include "framework/devices/cpu/sum_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

namespace {

using Doubles = hn::CappedTag<double, 8>;
using FewFloats = hn::Rebind<float, Doubles>;
using DoubleVector = hn::Vec<Doubles>;

HWY_INLINE DoubleVector widen(const float* p) { return hn::PromoteTo(Doubles(), hn::LoadU(FewFloats(), p)); }

/// Adds whole vectors to both sums: add(sum, offset) adds lanes from `offset` on. Returns where they end.
template <class Add>
HWY_INLINE std::size_t add_vectors(DoubleVector& even, DoubleVector& odd, std::size_t begin, std::size_t end,
                                   Add&& add) {
  const std::size_t n = hn::Lanes(Doubles());
  for (; begin + 2 * n <= end; begin += 2 * n) {
    even = add(even, begin);
    odd = add(odd, begin + n);
  }
  return begin;
}

/// one(offset) is the term of a single element.
template <class Add, class One>
HWY_INLINE double sum_all(std::size_t count, Add&& add, One&& one) {
  const Doubles d;
  DoubleVector even = hn::Zero(d), odd = hn::Zero(d);
  std::size_t i = add_vectors(even, odd, 0, count, add);
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
  for (; i < count; ++i) sum += one(i);
  return sum;
}

/// Memory is read row by row, over all runs; each run has its own sums.
template <class Add, class One>
HWY_INLINE void sum_runs(const FloatRows& rows, double* sums, std::size_t step, Add&& add, One&& one) {
  const Doubles d;
  const std::size_t n = hn::Lanes(d);
  HWY_ALIGN double even[most_runs * 8] = {};
  HWY_ALIGN double odd[most_runs * 8] = {};
  double rest[most_runs] = {};
  for (std::size_t row = 0; row < rows.rows; ++row)
    for (std::size_t k = 0; k < rows.runs && k * rows.run < rows.count; ++k) {
      const std::size_t begin = row * rows.stride + k * rows.run;
      const std::size_t size = std::min(rows.run, rows.count - k * rows.run);
      DoubleVector even_sum = hn::Load(d, even + k * n), odd_sum = hn::Load(d, odd + k * n);
      std::size_t i = add_vectors(even_sum, odd_sum, begin, begin + size, add);
      for (; i < begin + size; ++i) rest[k] += one(i);
      hn::Store(even_sum, d, even + k * n);
      hn::Store(odd_sum, d, odd + k * n);
    }
  for (std::size_t k = 0; k < rows.runs; ++k) {
    const DoubleVector both = hn::Add(hn::Load(d, even + k * n), hn::Load(d, odd + k * n));
    sums[k * step] = hn::GetLane(hn::SumOfLanes(d, both)) + rest[k];
  }
}

}  // namespace

double Products(const float* a, const float* b, std::size_t count) {
  return sum_all(
      count, [&](DoubleVector sum, std::size_t i) { return hn::MulAdd(widen(a + i), widen(b + i), sum); },
      [&](std::size_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

void SquaredDifferences(const float* a, const float* b, const FloatRows& rows, double* sums,
                        std::size_t step) {
  sum_runs(
      rows, sums, step,
      [&](DoubleVector sum, std::size_t i) {
        const DoubleVector difference = hn::Sub(widen(a + i), widen(b + i));
        return hn::MulAdd(difference, difference, sum);
      },
      [&](std::size_t i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        return difference * difference;
      });
}

void AbsoluteDifferences(const float* a, const float* b, const FloatRows& rows, double* sums,
                         std::size_t step) {
  sum_runs(
      rows, sums, step,
      [&](DoubleVector sum, std::size_t i) {
        return hn::Add(sum, hn::Abs(hn::Sub(widen(a + i), widen(b + i))));
      },
      [&](std::size_t i) { return std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])); });
}

float LargestMagnitude(const float* a, std::size_t count) {
  const Floats d;
  const std::size_t n = hn::Lanes(d);
  FloatVector most = hn::Zero(d);
  std::size_t i = 0;
  for (; i + n <= count; i += n) most = hn::Max(most, hn::Abs(hn::LoadU(d, a + i)));
  if (i < count) most = hn::Max(most, hn::Abs(load_first(a + i, count - i)));
  return hn::GetLane(hn::MaxOfLanes(d, most));
}

bool OnlyFinite(const float* a, std::size_t count) {
  // x * 0 is 0 for what is finite and NaN for the rest; NaN survives the sum.
  const Floats d;
  const std::size_t n = hn::Lanes(d);
  FloatVector sum = hn::Zero(d);
  std::size_t i = 0;
  for (; i + n <= count; i += n) sum = hn::Add(sum, hn::Mul(hn::LoadU(d, a + i), hn::Zero(d)));
  if (i < count) sum = hn::Add(sum, hn::Mul(load_first(a + i, count - i), hn::Zero(d)));
  return hn::AllTrue(d, hn::Eq(sum, hn::Zero(d)));
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(Products);
HWY_EXPORT(SquaredDifferences);
HWY_EXPORT(AbsoluteDifferences);
HWY_EXPORT(LargestMagnitude);
HWY_EXPORT(OnlyFinite);

double sum_products(const float* a, const float* b, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(Products)(a, b, count);
}
void sum_squared_differences(const float* a, const float* b, const FloatRows& rows, double* sums,
                             std::size_t step) {
  HWY_DYNAMIC_DISPATCH(SquaredDifferences)(a, b, rows, sums, step);
}
void sum_absolute_differences(const float* a, const float* b, const FloatRows& rows, double* sums,
                              std::size_t step) {
  HWY_DYNAMIC_DISPATCH(AbsoluteDifferences)(a, b, rows, sums, step);
}
float largest_magnitude(const float* a, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(LargestMagnitude)(a, count);
}
bool only_finite(const float* a, std::size_t count) { return HWY_DYNAMIC_DISPATCH(OnlyFinite)(a, count); }

}  // namespace gramflow::cpu
#endif
