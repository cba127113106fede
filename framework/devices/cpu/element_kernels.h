#pragma once
// Single-threaded passes over runs of elements. All may work in place where a result has the shape of an
// input.
#include <cstddef>
#include <cstdint>

#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

/// `pixels` of `channels`; mask may be null.
void relu_pixels(const float* in, std::size_t pixels, std::size_t channels, float* out, std::uint8_t* mask);
void relu_gradient_pixels(const float* gradient, const std::uint8_t* mask, std::size_t pixels,
                          std::size_t channels, bool accumulate, float* out);

/// One row of pooled pixels from two rows. With `positive_only`, maxima start at 0 and index 4 says that
/// nothing is larger. out and index may be null for maxima.
void pool_max_row(const float* upper, const float* lower, std::size_t pooled, std::size_t channels,
                  bool positive_only, float* out, std::uint8_t* index);
void pool_average_row(const float* upper, const float* lower, std::size_t pooled, std::size_t channels,
                      float* out);
/// The gradient of one of the two source rows (`lower`: 0 or 1). index null: average.
void pool_gradient_row(const float* gradient, const std::uint8_t* index, std::size_t pooled,
                       std::size_t channels, int lower, bool accumulate, float* out);

/// out (+)= factor * (a - b)
void scale_difference(const float* a, const float* b, float factor, std::size_t count, bool accumulate,
                      float* out);
/// One row of total variation's gradient: out (+)= vertical * (sign(here - above) - sign(below - here)) and
/// the same horizontally, `step` floats apart. At an edge, above or below are the row itself.
void variation_gradient_row(const float* above, const float* here, const float* below, std::size_t count,
                            std::size_t step, float vertical, float horizontal, bool accumulate, float* out);

/// y = a x + b y; with b 0, y is not read.
void mix(float a, const float* x, float b, std::size_t count, float* y);

struct AdamFactors {
  float beta1, rest1, beta2, rest2;  ///< rest = 1 - beta
  float rate;                        ///< learning rate / (1 - beta1^step)
  float scale;                       ///< 1 / (1 - beta2^step)
  float epsilon;
  float gradient;  ///< what the gradient is multiplied by
};
void adam_run(const AdamFactors& factors, const float* gradient, std::size_t count, float* first,
              float* second, float* x);

}  // namespace gramflow::cpu
