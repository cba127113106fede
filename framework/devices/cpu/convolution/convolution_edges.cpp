#include "framework/devices/cpu/convolution/convolution_edges.h"

#include <algorithm>
#include <cstring>

#include "framework/devices/cpu/border.h"
#include "framework/devices/cpu/element_kernels.h"
#include "framework/devices/cpu/mask.h"

namespace gramflow::cpu {

namespace {

/// One pixel of the gradient that came through a pooling.
void spread_pixel(const ConvolutionGradient& gradient, Shape output, std::int64_t y, std::int64_t x,
                  float* to) {
  const std::int64_t pooled_width = output.width / 2;
  if (y / 2 >= output.height / 2 || x / 2 >= pooled_width) {
    std::memset(to, 0, static_cast<std::size_t>(output.channels) * sizeof(float));
    return;
  }
  const std::int64_t offset = ((y / 2) * pooled_width + x / 2) * output.channels;
  const std::uint8_t corner = static_cast<std::uint8_t>(2 * (y % 2) + x % 2);
  for (std::int64_t c = 0; c < output.channels; ++c)
    to[c] = gradient.index[offset + c] == corner ? gradient.pooled_gradient[offset + c] : 0.0f;
}

}  // namespace

void write_side_outputs(const float* band, Shape output, std::int64_t top, std::int64_t bottom,
                        const ConvolutionOutputs& outputs) {
  const std::int64_t channels = output.channels;
  const std::int64_t row = output.width * channels;
  if (outputs.mask) {
    const std::int64_t bytes = mask_bytes(channels);
    for (std::int64_t p = 0; p < (bottom - top) * output.width; ++p)
      write_mask(band + p * channels, channels, outputs.mask + (top * output.width + p) * bytes);
  }
  if (!outputs.pooled && !outputs.index) return;
  for (std::int64_t y = top / 2; y < bottom / 2; ++y) {
    const float* upper = band + (2 * y - top) * row;
    const std::int64_t offset = y * (output.width / 2) * channels;
    pool_max_row(upper, upper + row, static_cast<std::size_t>(output.width / 2),
                 static_cast<std::size_t>(channels), true, outputs.pooled ? outputs.pooled + offset : nullptr,
                 outputs.index ? outputs.index + offset : nullptr);
  }
}

void gather_gradient(const ConvolutionGradient& gradient, Shape output, std::int64_t top, std::int64_t left,
                     std::int64_t rows, std::int64_t columns, float* to) {
  if (gradient.gradient) {
    gather_with_border(gradient.gradient, output, Border::zero, top, left, rows, columns, to);
    return;
  }
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column, to += output.channels) {
      const std::int64_t y = top + row;
      const std::int64_t x = left + column;
      if (y < 0 || y >= output.height || x < 0 || x >= output.width)
        std::memset(to, 0, static_cast<std::size_t>(output.channels) * sizeof(float));
      else
        spread_pixel(gradient, output, y, x, to);
    }
}

void write_result(const float* band, Shape input, std::int64_t top, std::int64_t bottom,
                  const ConvolutionGradient& gradient) {
  const std::int64_t channels = input.channels;
  for (std::int64_t p = top * input.width; p < bottom * input.width; ++p, band += channels) {
    float* to = gradient.result + p * channels;
    if (gradient.accumulate) {
      for (std::int64_t c = 0; c < channels; ++c) to[c] += band[c];
    } else {
      std::copy_n(band, channels, to);
    }
    if (!gradient.mask) continue;
    const std::uint8_t* bits = gradient.mask + p * mask_bytes(channels);
    for (std::int64_t c = 0; c < channels; ++c) to[c] = mask_bit(bits, c) ? to[c] : 0.0f;
  }
}

}  // namespace gramflow::cpu
