// One loop over rows of the result; a row gathers from all ring pixels that copy one of its pixels, so rows
// never write to each other's memory. A ring pixel sees only the gradient pixels inside the picture, three at
// most.
#include "framework/devices/cpu/border_gradient.h"

#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/devices/cpu/border.h"
#include "framework/devices/cpu/convolution/convolution_edges.h"
#include "framework/devices/cpu/mask.h"

namespace gramflow::cpu {

BorderGradient::BorderGradient(const Filter& filter)
    : filter_(filter), weights_(weight_bytes(filter) / sizeof(float)) {
  const std::size_t in = static_cast<std::size_t>(filter.in_channels);
  const std::size_t out = static_cast<std::size_t>(filter.out_channels);
  for (std::size_t o = 0; o < out; ++o)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t tap = 0; tap < 9; ++tap)
        weights_[(tap * out + o) * in + i] = filter.weights[(o * in + i) * 9 + tap];
  filter_.weights = filter_.bias = nullptr;
}

std::size_t BorderGradient::weight_bytes(const Filter& filter) {
  return 9 * static_cast<std::size_t>(filter.in_channels) * static_cast<std::size_t>(filter.out_channels) *
         sizeof(float);
}

std::size_t BorderGradient::worker_floats(const Filter& filter) {
  return static_cast<std::size_t>(filter.in_channels) + static_cast<std::size_t>(filter.out_channels);
}

void BorderGradient::add(const ConvolutionGradient& gradient, Shape input, float* scratch) const {
  const std::int64_t in = filter_.in_channels;
  const std::int64_t out = filter_.out_channels;
  const Shape output{input.height, input.width, out};

  const auto add_ring_pixel = [&](std::int64_t y, std::int64_t x, std::int64_t to_y, std::int64_t to_x,
                                  float* memory) {
    float* sum = memory;
    float* pixel = memory + in;
    std::fill_n(sum, in, 0.0f);
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      const std::int64_t from_y = y + 1 - tap / 3;
      const std::int64_t from_x = x + 1 - tap % 3;
      if (from_y < 0 || from_y >= output.height || from_x < 0 || from_x >= output.width) continue;
      gather_gradient(gradient, output, from_y, from_x, 1, 1, pixel);
      const float* weights = weights_.data() + tap * out * in;
      for (std::int64_t o = 0; o < out; ++o, weights += in)
        for (std::int64_t i = 0; i < in; ++i) sum[i] += pixel[o] * weights[i];
    }
    const std::int64_t target = to_y * input.width + to_x;
    float* to = gradient.result + target * in;
    const std::uint8_t* mask = gradient.mask ? gradient.mask + target * mask_bytes(in) : nullptr;
    for (std::int64_t i = 0; i < in; ++i) to[i] += !mask || mask_bit(mask, i) ? sum[i] : 0.0f;
  };

  parallel_for(input.height, [&](std::int64_t row, int worker) {
    float* memory = scratch + static_cast<std::size_t>(worker) * worker_floats(filter_);
    for (const std::int64_t y : {std::int64_t{-1}, row, input.height}) {
      if (border_source(y, input.height, filter_.border) != row) continue;
      const bool inside = y == row;
      for (std::int64_t x = -1; x <= input.width; x += inside ? input.width + 1 : 1)
        add_ring_pixel(y, x, row, border_source(x, input.width, filter_.border), memory);
    }
  });
}

}  // namespace gramflow::cpu
