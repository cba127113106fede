// Forward: a pixel's nine neighbours are three runs of 3 * channels floats in a padded picture, so a row of
// pixels is a matrix whose rows overlap, and the convolution a plain product with it. Runs of pixels short
// enough for the first-level cache get their product, then bias, ReLU and mask. Backward: the product of each
// gradient pixel with all nine taps first, then each result pixel collects its nine parts; the gradient, by
// far the largest operand, is read once.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/convolution/narrow_kernels.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include <algorithm>

#include "framework/devices/cpu/convolution/narrow_kernels.h"
#include "framework/devices/cpu/mask.h"
#include "framework/devices/cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

namespace {

template <bool tail>
HWY_INLINE void finish(const float* sum, const NarrowRow& row, std::size_t pixel, std::size_t channel,
                       std::size_t count) {
  const Floats d;
  FloatVector value = hn::Add(hn::LoadU(d, sum), load<tail>(row.bias + channel, count));
  if (row.relu) value = hn::Max(value, hn::Zero(d));
  float* to = row.output + pixel * row.made + channel;
  if (!tail && row.streamed && lanes() * sizeof(float) == 64)  // in parts of a cache line it would be slower
    hn::Stream(value, d, to);
  else
    store<tail>(value, to, count);
  if (row.mask)
    store_mask<tail>(
        hn::Gt(value, hn::Zero(d)),
        row.mask + pixel * static_cast<std::size_t>(mask_bytes(static_cast<std::int64_t>(row.made))), channel,
        count);
}

}  // namespace

void ForwardRow(const NarrowRow& row, float* work) {
  const std::size_t n = lanes();
  for (std::size_t begin = 0; begin < row.pixels; begin += narrow_run) {
    const std::size_t pixels = std::min(narrow_run, row.pixels - begin);
    const Operands operands{row.input + begin * row.channels,
                            row.channels,
                            1,
                            row.weights,
                            row.padded_made,
                            work,
                            row.padded_made,
                            3 * row.channels,
                            3,
                            row.input_row_step};
    product<false, Target::overwrite>(operands, pixels, row.padded_made);
    for (std::size_t p = 0; p < pixels; ++p) {
      const float* sums = work + p * row.padded_made;
      std::size_t channel = 0;
      for (; channel + n <= row.made; channel += n) finish<false>(sums + channel, row, begin + p, channel, n);
      if (channel < row.made) finish<true>(sums + channel, row, begin + p, channel, row.made - channel);
    }
  }
  if (row.streamed) hwy::FlushStream();
}

void SpreadRow(const float* gradient, std::size_t pixels, std::size_t depth, const float* weights,
               std::size_t padded_taps, float* spread) {
  const Operands operands{gradient, depth, 1, weights, padded_taps, spread, padded_taps, depth};
  product<false, Target::overwrite>(operands, pixels, padded_taps);
}

void CollectRow(const float* const (&spread)[3], std::size_t pixels, std::size_t channels,
                std::size_t padded_taps, float* out) {
  // Four floats a pixel are stored, the surplus overwritten by the next pixel.
  const hn::CappedTag<float, narrow_channels> d;
  const std::size_t n = hn::Lanes(d);
  for (std::size_t x = 0; x < pixels; ++x)
    for (std::size_t part = 0; part < channels; part += n) {
      auto sum = hn::Zero(d);
      for (std::size_t ky = 0; ky < 3; ++ky) {
        const float* above = spread[2 - ky];  // tap ky of the row one below reaches up, and so on
        if (above == nullptr) continue;
        for (std::size_t kx = 0; kx < 3; ++kx) {
          const std::size_t from = x + 2 - kx;  // one more than the pixel, so that it is never negative
          if (from == 0 || from > pixels) continue;
          sum =
              hn::Add(sum, hn::LoadU(d, above + (from - 1) * padded_taps + (3 * ky + kx) * channels + part));
        }
      }
      hn::StoreU(sum, d, out + x * channels + part);
    }
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(ForwardRow);
HWY_EXPORT(SpreadRow);
HWY_EXPORT(CollectRow);

void narrow_forward_row(const NarrowRow& row, float* work) { HWY_DYNAMIC_DISPATCH(ForwardRow)(row, work); }
void narrow_spread_row(const float* gradient, std::size_t pixels, std::size_t depth, const float* weights,
                       std::size_t padded_taps, float* spread) {
  HWY_DYNAMIC_DISPATCH(SpreadRow)(gradient, pixels, depth, weights, padded_taps, spread);
}
void narrow_collect_row(const float* const (&spread)[3], std::size_t pixels, std::size_t channels,
                        std::size_t padded_taps, float* out) {
  HWY_DYNAMIC_DISPATCH(CollectRow)(spread, pixels, channels, padded_taps, out);
}

}  // namespace gramflow::cpu
#endif
