#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/ops/cpu/gram_kernels.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <algorithm>

#include "framework/ops/cpu/gram_kernels.h"
#include "framework/ops/cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

constexpr std::size_t strip_rows = 12;

void GramBlock(const float* features, std::size_t pixels, std::size_t channels, std::size_t first,
               std::size_t last, float* partial) {
  // Pixels that stay in the second-level cache while the tiles of the matrix go over them.
  const std::size_t step = std::max<std::size_t>(16, 65536 / channels);
  for (std::size_t begin = 0; begin < pixels; begin += step) {
    const float* rows = features + begin * channels;
    // Strips of a few rows, each only as wide as the diagonal needs it.
    for (std::size_t i = first; i < last; i += strip_rows) {
      const std::size_t count = std::min(strip_rows, last - i);
      const std::size_t width = (i + count + 15) / 16 * 16;
      const Operands operands{rows + i, 1,
                              channels, rows,
                              channels, partial + i * channels,
                              channels, std::min(step, pixels - begin)};
      if (begin == 0)
        product<true, Target::overwrite>(operands, count, width);
      else
        product<true, Target::add>(operands, count, width);
    }
  }
}

void GramBackwardBlock(const float* features, const float* matrix, std::size_t pixels, std::size_t channels,
                       float* result) {
  const Operands operands{features, channels, 1, matrix, channels, result, channels, channels};
  product<false, Target::overwrite>(operands, pixels, channels);
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(GramBlock);
HWY_EXPORT(GramBackwardBlock);

void gram_block(const float* features, std::size_t pixels, std::size_t channels, std::size_t first,
                std::size_t last, float* partial) {
  HWY_DYNAMIC_DISPATCH(GramBlock)(features, pixels, channels, first, last, partial);
}
void gram_backward_block(const float* features, const float* matrix, std::size_t pixels, std::size_t channels,
                         float* result) {
  HWY_DYNAMIC_DISPATCH(GramBackwardBlock)(features, matrix, pixels, channels, result);
}

}  // namespace gramflow::cpu
#endif
