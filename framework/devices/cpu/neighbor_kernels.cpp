// A panel of products at a time, then a pass that keeps the running maximum of each row. A later candidate
// must be strictly larger, so equal ones leave the first.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/neighbor_kernels.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "framework/devices/cpu/neighbor_kernels.h"
#include "framework/devices/cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

/// NaN when that is all there is.
float Largest(const float* values, std::size_t count) {
  const Floats d;
  const std::size_t n = hn::Lanes(d);
  float largest = -std::numeric_limits<float>::infinity();
  std::size_t i = 0;
  if (count >= n) {
    FloatVector most = hn::LoadU(d, values);
    for (i = n; i + n <= count; i += n) most = hn::Max(most, hn::LoadU(d, values + i));
    largest = hn::GetLane(hn::MaxOfLanes(d, most));
  }
  for (; i < count; ++i) largest = std::max(largest, values[i]);
  return largest;
}

void BestCandidates(const float* values, std::size_t rows, std::size_t depth, const float* candidates,
                    std::size_t count, std::size_t stride, std::int32_t* best) {
  alignas(64) float products[neighbor_rows * neighbor_panel];
  float highest[neighbor_rows];
  std::fill_n(highest, rows, -std::numeric_limits<float>::infinity());
  std::fill_n(best, rows, 0);
  for (std::size_t begin = 0; begin < count; begin += neighbor_panel) {
    const std::size_t width = std::min(neighbor_panel, stride - begin);
    const std::size_t real = std::min(neighbor_panel, count - begin);
    const Operands operands{values, depth, 1, candidates + begin, stride, products, neighbor_panel, depth};
    product<false, Target::overwrite>(operands, rows, width);
    for (std::size_t i = 0; i < rows; ++i) {
      const float* row = products + i * neighbor_panel;
      const float largest = Largest(row, real);
      if (!(largest > highest[i])) continue;
      highest[i] = largest;
      const float* where = std::find(row, row + real, largest);
      if (where != row + real)
        best[i] = static_cast<std::int32_t>(begin) + static_cast<std::int32_t>(where - row);
    }
  }
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(BestCandidates);

void best_candidates(const float* values, std::size_t rows, std::size_t depth, const float* candidates,
                     std::size_t count, std::size_t stride, std::int32_t* best) {
  HWY_DYNAMIC_DISPATCH(BestCandidates)(values, rows, depth, candidates, count, stride, best);
}

}  // namespace gramflow::cpu
#endif
