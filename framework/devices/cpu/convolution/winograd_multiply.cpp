// The 36 matrix products of a block.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/convolution/winograd_multiply.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <algorithm>

#include "framework/devices/cpu/convolution/winograd_kernels.h"
#include "framework/devices/cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

void Multiply(const TransformedBlock& transformed, const float* panel, std::size_t tiles, std::size_t depth,
              std::size_t width, const TransformedBlock& products) {
  const std::size_t group = tile_vectors * lanes();
  for (std::size_t k = 0; k < winograd_positions; ++k)
    for (std::size_t column = 0; column < width; column += group) {
      const std::size_t columns = std::min(group, width - column);
      const Operands operands{transformed.values + k * transformed.position_stride,
                              transformed.tile_stride,
                              1,
                              panel + (k * width + column) * depth,
                              columns,
                              products.values + k * products.position_stride + column,
                              products.tile_stride,
                              depth};
      product<false, Target::overwrite>(operands, tiles, columns);
    }
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(Multiply);

void winograd_multiply(const TransformedBlock& transformed, const float* panel, std::size_t tiles,
                       std::size_t depth, std::size_t width, const TransformedBlock& products) {
  HWY_DYNAMIC_DISPATCH(Multiply)(transformed, panel, tiles, depth, width, products);
}

}  // namespace gramflow::cpu
#endif
