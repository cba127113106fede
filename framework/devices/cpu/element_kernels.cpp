// Every pass is a loop over whole vectors and one shorter one at the end of each pixel or run.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/devices/cpu/element_kernels.cpp"
#include <hwy/foreach_target.h>
// Highway wants this order: foreach_target first.
#include <hwy/highway.h>

#include <type_traits>

#include "framework/devices/cpu/element_kernels.h"
#include "framework/devices/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

namespace {

/// body(offset, count, tail) for every vector of a run; `tail` is a constant.
template <class Body>
HWY_INLINE void for_vectors(std::size_t count, Body&& body) {
  const std::size_t n = lanes();
  std::size_t i = 0;
  for (; i + n <= count; i += n) body(i, n, std::false_type());
  if (i < count) body(i, count - i, std::true_type());
}

template <bool tail>
HWY_INLINE void put(FloatVector value, bool accumulate, float* to, std::size_t count) {
  if (accumulate) value = hn::Add(load<tail>(to, count), value);
  store<tail>(value, to, count);
}

HWY_INLINE FloatVector sign(FloatVector v) {
  const Floats d;
  const FloatVector one = hn::Set(d, 1.0f);
  const FloatVector positive = hn::IfThenElseZero(hn::Gt(v, hn::Zero(d)), one);
  return hn::Sub(positive, hn::IfThenElseZero(hn::Lt(v, hn::Zero(d)), one));
}

}  // namespace

void ReluPixels(const float* in, std::size_t pixels, std::size_t channels, float* out, std::uint8_t* mask) {
  const Floats d;
  for (std::size_t p = 0; p < pixels; ++p, in += channels, out += channels) {
    for_vectors(channels, [&](std::size_t c, std::size_t count, auto tail) {
      const FloatVector value = load<tail.value>(in + c, count);
      const FloatMask positive = hn::Gt(value, hn::Zero(d));
      store<tail.value>(hn::IfThenElseZero(positive, value), out + c, count);
      if (mask) store_mask<tail.value>(positive, mask, c, count);
    });
    if (mask) mask += (channels + 7) / 8;
  }
}

void ReluGradientPixels(const float* gradient, const std::uint8_t* mask, std::size_t pixels,
                        std::size_t channels, bool accumulate, float* out) {
  for (std::size_t p = 0; p < pixels; ++p, gradient += channels, out += channels, mask += (channels + 7) / 8)
    for_vectors(channels, [&](std::size_t c, std::size_t count, auto tail) {
      const FloatVector value = load<tail.value>(gradient + c, count);
      put<tail.value>(hn::IfThenElseZero(load_mask<tail.value>(mask, c, count), value), accumulate, out + c,
                      count);
    });
}

void PoolMaxRow(const float* upper, const float* lower, std::size_t pooled, std::size_t channels,
                bool positive_only, float* out, std::uint8_t* index) {
  const Floats d;
  const Integers integers;
  for (std::size_t x = 0; x < pooled; ++x) {
    const float* corners[4] = {upper + 2 * x * channels, upper + (2 * x + 1) * channels,
                               lower + 2 * x * channels, lower + (2 * x + 1) * channels};
    for_vectors(channels, [&](std::size_t c, std::size_t count, auto tail) {
      FloatVector best = positive_only ? hn::Zero(d) : load<tail.value>(corners[0] + c, count);
      auto which = hn::Set(integers, positive_only ? 4 : 0);
      for (int k = positive_only ? 0 : 1; k < 4; ++k) {
        const FloatVector value = load<tail.value>(corners[k] + c, count);
        const FloatMask greater = hn::Gt(value, best);
        best = hn::IfThenElse(greater, value, best);
        which = hn::IfThenElse(hn::RebindMask(integers, greater), hn::Set(integers, k), which);
      }
      if (out) store<tail.value>(best, out + x * channels + c, count);
      if (index) store_bytes<tail.value>(which, index + x * channels + c, count);
    });
  }
}

void PoolAverageRow(const float* upper, const float* lower, std::size_t pooled, std::size_t channels,
                    float* out) {
  const Floats d;
  for (std::size_t x = 0; x < pooled; ++x) {
    const std::size_t left = 2 * x * channels;
    const std::size_t right = left + channels;
    for_vectors(channels, [&](std::size_t c, std::size_t count, auto tail) {
      const FloatVector top =
          hn::Add(load<tail.value>(upper + left + c, count), load<tail.value>(upper + right + c, count));
      const FloatVector bottom =
          hn::Add(load<tail.value>(lower + left + c, count), load<tail.value>(lower + right + c, count));
      store<tail.value>(hn::Mul(hn::Set(d, 0.25f), hn::Add(top, bottom)), out + x * channels + c, count);
    });
  }
}

void PoolGradientRow(const float* gradient, const std::uint8_t* index, std::size_t pooled,
                     std::size_t channels, int lower, bool accumulate, float* out) {
  const Floats d;
  const Integers integers;
  for (std::size_t x = 0; x < pooled; ++x) {
    const std::size_t from = x * channels;
    float* to = out + 2 * x * channels;
    for_vectors(channels, [&](std::size_t c, std::size_t count, auto tail) {
      const FloatVector value = load<tail.value>(gradient + from + c, count);
      FloatVector left = hn::Mul(hn::Set(d, 0.25f), value);
      FloatVector right = left;
      if (index) {
        const auto which = load_bytes<tail.value>(index + from + c, count);
        left = hn::IfThenElseZero(hn::RebindMask(d, hn::Eq(which, hn::Set(integers, 2 * lower))), value);
        right = hn::IfThenElseZero(hn::RebindMask(d, hn::Eq(which, hn::Set(integers, 2 * lower + 1))), value);
      }
      put<tail.value>(left, accumulate, to + c, count);
      put<tail.value>(right, accumulate, to + channels + c, count);
    });
  }
}

void ScaleDifference(const float* a, const float* b, float factor, std::size_t count, bool accumulate,
                     float* out) {
  for_vectors(count, [&](std::size_t i, std::size_t some, auto tail) {
    const FloatVector difference = hn::Sub(load<tail.value>(a + i, some), load<tail.value>(b + i, some));
    put<tail.value>(hn::Mul(hn::Set(Floats(), factor), difference), accumulate, out + i, some);
  });
}

void VariationGradientRow(const float* above, const float* here, const float* below, std::size_t count,
                          std::size_t step, float vertical, float horizontal, bool accumulate, float* out) {
  const Floats d;
  // The first and last pixel, which lack a neighbour, have a run of their own.
  const auto run = [&](std::size_t begin, std::size_t end, std::size_t left, std::size_t right) {
    for_vectors(end - begin, [&](std::size_t offset, std::size_t some, auto tail) {
      const std::size_t i = begin + offset;
      const FloatVector value = load<tail.value>(here + i, some);
      const FloatVector up = sign(hn::Sub(value, load<tail.value>(above + i, some)));
      const FloatVector down = sign(hn::Sub(load<tail.value>(below + i, some), value));
      const FloatVector before = sign(hn::Sub(value, load<tail.value>(here + i - left, some)));
      const FloatVector after = sign(hn::Sub(load<tail.value>(here + i + right, some), value));
      const FloatVector across = hn::Mul(hn::Set(d, horizontal), hn::Sub(before, after));
      put<tail.value>(hn::Add(hn::Mul(hn::Set(d, vertical), hn::Sub(up, down)), across), accumulate, out + i,
                      some);
    });
  };
  if (count == step) {
    run(0, count, 0, 0);
    return;
  }
  run(0, step, 0, step);
  run(step, count - step, step, step);
  run(count - step, count, step, 0);
}

void Mix(float a, const float* x, float b, std::size_t count, float* y) {
  const Floats d;
  for_vectors(count, [&](std::size_t i, std::size_t some, auto tail) {
    FloatVector value = hn::Mul(hn::Set(d, a), load<tail.value>(x + i, some));
    if (b != 0) value = hn::MulAdd(hn::Set(d, b), load<tail.value>(y + i, some), value);
    store<tail.value>(value, y + i, some);
  });
}

void AdamRun(const AdamFactors& f, const float* gradient, std::size_t count, float* first, float* second,
             float* x) {
  const Floats d;
  for_vectors(count, [&](std::size_t i, std::size_t some, auto tail) {
    const FloatVector g = hn::Mul(hn::Set(d, f.gradient), load<tail.value>(gradient + i, some));
    const FloatVector m =
        hn::MulAdd(hn::Set(d, f.beta1), load<tail.value>(first + i, some), hn::Mul(hn::Set(d, f.rest1), g));
    const FloatVector v = hn::MulAdd(hn::Set(d, f.beta2), load<tail.value>(second + i, some),
                                     hn::Mul(hn::Set(d, f.rest2), hn::Mul(g, g)));
    const FloatVector size = hn::Add(hn::Sqrt(hn::Mul(v, hn::Set(d, f.scale))), hn::Set(d, f.epsilon));
    const FloatVector move = hn::Div(hn::Mul(hn::Set(d, f.rate), m), size);
    store<tail.value>(m, first + i, some);
    store<tail.value>(v, second + i, some);
    store<tail.value>(hn::Sub(load<tail.value>(x + i, some), move), x + i, some);
  });
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gramflow::cpu {

HWY_EXPORT(ReluPixels);
HWY_EXPORT(ReluGradientPixels);
HWY_EXPORT(PoolMaxRow);
HWY_EXPORT(PoolAverageRow);
HWY_EXPORT(PoolGradientRow);
HWY_EXPORT(ScaleDifference);
HWY_EXPORT(VariationGradientRow);
HWY_EXPORT(Mix);
HWY_EXPORT(AdamRun);

void relu_pixels(const float* in, std::size_t pixels, std::size_t channels, float* out, std::uint8_t* mask) {
  HWY_DYNAMIC_DISPATCH(ReluPixels)(in, pixels, channels, out, mask);
}
void relu_gradient_pixels(const float* gradient, const std::uint8_t* mask, std::size_t pixels,
                          std::size_t channels, bool accumulate, float* out) {
  HWY_DYNAMIC_DISPATCH(ReluGradientPixels)(gradient, mask, pixels, channels, accumulate, out);
}
void pool_max_row(const float* upper, const float* lower, std::size_t pooled, std::size_t channels,
                  bool positive_only, float* out, std::uint8_t* index) {
  HWY_DYNAMIC_DISPATCH(PoolMaxRow)(upper, lower, pooled, channels, positive_only, out, index);
}
void pool_average_row(const float* upper, const float* lower, std::size_t pooled, std::size_t channels,
                      float* out) {
  HWY_DYNAMIC_DISPATCH(PoolAverageRow)(upper, lower, pooled, channels, out);
}
void pool_gradient_row(const float* gradient, const std::uint8_t* index, std::size_t pooled,
                       std::size_t channels, int lower, bool accumulate, float* out) {
  HWY_DYNAMIC_DISPATCH(PoolGradientRow)(gradient, index, pooled, channels, lower, accumulate, out);
}
void scale_difference(const float* a, const float* b, float factor, std::size_t count, bool accumulate,
                      float* out) {
  HWY_DYNAMIC_DISPATCH(ScaleDifference)(a, b, factor, count, accumulate, out);
}
void variation_gradient_row(const float* above, const float* here, const float* below, std::size_t count,
                            std::size_t step, float vertical, float horizontal, bool accumulate, float* out) {
  HWY_DYNAMIC_DISPATCH(VariationGradientRow)
  (above, here, below, count, step, vertical, horizontal, accumulate, out);
}
void mix(float a, const float* x, float b, std::size_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(Mix)(a, x, b, count, y);
}
void adam_run(const AdamFactors& factors, const float* gradient, std::size_t count, float* first,
              float* second, float* x) {
  HWY_DYNAMIC_DISPATCH(AdamRun)(factors, gradient, count, first, second, x);
}

}  // namespace gramflow::cpu
#endif
