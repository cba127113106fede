#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/gram_kernels.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <algorithm>

#include "framework/devices/cpu/gram_kernels.h"
#include "framework/devices/cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

namespace {

constexpr std::size_t strip_rows = 12;
constexpr std::size_t resident_floats = 65536;  // of features that stay in the second-level cache

/// Strips of a few rows, each only as wide as the diagonal needs it. The widest comes first: it reads the
/// positions in one go, and the others find them in the cache.
template <Target target>
void tiled_products(const GramPositions& p, const GramPanel& panel, float* products) {
  const std::size_t strips = (panel.last - panel.first + strip_rows - 1) / strip_rows;
  for (std::size_t strip = strips; strip-- > 0;) {
    const std::size_t i = panel.first + strip * strip_rows;
    const std::size_t count = std::min(strip_rows, panel.last - i);
    const std::size_t width = (i + count + 15) / 16 * 16;
    Operands operands{p.features + i, 1,          p.channels,
                      p.features,     p.channels, products + (i - panel.first) * panel.width,
                      panel.width,    p.run};
    operands.segments = p.rows;
    operands.a_segment_step = p.stride;
    operands.b_segment_step = p.stride - p.run * p.channels;
    product<true, target>(operands, count, width);
  }
}

/// For any number of channels, position by position.
void plain_products(const GramPositions& p, const GramPanel& panel, float* products) {
  const Floats d;
  for (std::size_t i = panel.first; i < panel.last; ++i)
    std::fill_n(products + (i - panel.first) * panel.width, i + 1, 0.0f);
  for (std::size_t row = 0; row < p.rows; ++row)
    for (std::size_t x = 0; x < p.run; ++x) {
      const float* values = p.features + row * p.stride + x * p.channels;
      for (std::size_t i = panel.first; i < panel.last; ++i) {
        const FloatVector left = hn::Set(d, values[i]);
        float* to = products + (i - panel.first) * panel.width;
        const auto step = [&](std::size_t j, std::size_t count, auto tail) HWY_ATTR {
          const FloatVector sum =
              hn::MulAdd(left, load<tail.value>(values + j, count), load<tail.value>(to + j, count));
          store<tail.value>(sum, to + j, count);
        };
        std::size_t j = 0;
        for (; j + lanes() <= i + 1; j += lanes()) step(j, lanes(), std::false_type());
        if (j < i + 1) step(j, i + 1 - j, std::true_type());
      }
    }
}

using Doubles = hn::CappedTag<double, 8>;
using FewFloats = hn::Rebind<float, Doubles>;

}  // namespace

void GramProducts(const GramPositions& positions, const GramPanel& panel, float* products) {
  if (positions.channels % 16 != 0) return plain_products(positions, panel, products);
  const std::size_t row_floats = positions.run * positions.channels;
  const std::size_t rows = std::max<std::size_t>(1, resident_floats / row_floats);
  for (std::size_t begin = 0; begin < positions.rows; begin += rows) {
    GramPositions part = positions;
    part.features += begin * positions.stride;
    part.rows = std::min(rows, positions.rows - begin);
    if (part.stride == row_floats) part.run *= part.rows, part.rows = 1;
    if (begin == 0)
      tiled_products<Target::overwrite>(part, panel, products);
    else
      tiled_products<Target::add>(part, panel, products);
  }
}

void GramAddProducts(const float* products, const GramPanel& panel, bool add, double* sums) {
  const Doubles d;
  const FewFloats few;
  const std::size_t n = hn::Lanes(d);
  for (std::size_t i = panel.first; i < panel.last; ++i, products += panel.width, sums += panel.width) {
    std::size_t j = 0;
    for (; j + n <= i + 1; j += n) {
      auto value = hn::PromoteTo(d, hn::LoadU(few, products + j));
      if (add) value = hn::Add(hn::LoadU(d, sums + j), value);
      hn::StoreU(value, d, sums + j);
    }
    for (; j < i + 1; ++j)
      sums[j] = add ? sums[j] + static_cast<double>(products[j]) : static_cast<double>(products[j]);
  }
}

void GramAddSums(const double* more, const GramPanel& panel, double* sums) {
  const Doubles d;
  const std::size_t n = hn::Lanes(d);
  for (std::size_t i = panel.first; i < panel.last; ++i, more += panel.width, sums += panel.width) {
    std::size_t j = 0;
    for (; j + n <= i + 1; j += n)
      hn::StoreU(hn::Add(hn::LoadU(d, sums + j), hn::LoadU(d, more + j)), d, sums + j);
    for (; j < i + 1; ++j) sums[j] += more[j];
  }
}

void GramGradientBlock(const float* features, const float* matrix, std::size_t positions,
                       std::size_t channels, bool accumulate, float* result) {
  const Operands operands{features, channels, 1, matrix, channels, result, channels, channels};
  if (accumulate)
    product<false, Target::add_at_end>(operands, positions, channels);
  else
    product<false, Target::overwrite>(operands, positions, channels);
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(GramProducts);
HWY_EXPORT(GramAddProducts);
HWY_EXPORT(GramAddSums);
HWY_EXPORT(GramGradientBlock);

void gram_products(const GramPositions& positions, const GramPanel& panel, float* products) {
  HWY_DYNAMIC_DISPATCH(GramProducts)(positions, panel, products);
}
void gram_add_products(const float* products, const GramPanel& panel, bool add, double* sums) {
  HWY_DYNAMIC_DISPATCH(GramAddProducts)(products, panel, add, sums);
}
void gram_add_sums(const double* more, const GramPanel& panel, double* sums) {
  HWY_DYNAMIC_DISPATCH(GramAddSums)(more, panel, sums);
}
void gram_gradient_block(const float* features, const float* matrix, std::size_t positions,
                         std::size_t channels, bool accumulate, float* result) {
  HWY_DYNAMIC_DISPATCH(GramGradientBlock)(features, matrix, positions, channels, accumulate, result);
}

}  // namespace gramflow::cpu
#endif
