// 2x2 pooling, stride 2. Blocks are rows of the pooled picture, so in both directions each block owns its
// memory; the row and column that an odd size leaves over get no gradient.
#include <cstring>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/element_kernels.h"
#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

void pool(PoolKind kind, TensorView input, TensorView output, std::uint8_t* index_or_null) {
  const Shape in = input.shape();
  const Shape out = output.shape();
  parallel_for(out.height, [&](std::int64_t y, int) {
    const float* upper = input.f32() + 2 * y * in.width * in.channels;
    const float* lower = upper + in.width * in.channels;
    const std::int64_t row = y * out.width * out.channels;
    const std::size_t columns = static_cast<std::size_t>(out.width);
    const std::size_t channels = static_cast<std::size_t>(out.channels);
    if (kind == PoolKind::max)
      pool_max_row(upper, lower, columns, channels, false, output.f32() + row,
                   index_or_null ? index_or_null + row : nullptr);
    else
      pool_average_row(upper, lower, columns, channels, output.f32() + row);
  });
}

void pool_backward(PoolKind kind, TensorView gradient, const std::uint8_t* index, TensorView result,
                   bool accumulate) {
  const Shape out = gradient.shape();
  const Shape in = result.shape();
  parallel_for(in.height, [&](std::int64_t y, int) {
    float* to = result.f32() + y * in.width * in.channels;
    const std::int64_t row = (y / 2) * out.width * out.channels;
    const bool covered = y / 2 < out.height;
    const std::int64_t columns = covered ? out.width : 0;
    if (covered)
      pool_gradient_row(gradient.f32() + row, kind == PoolKind::max ? index + row : nullptr,
                        static_cast<std::size_t>(columns), static_cast<std::size_t>(out.channels),
                        static_cast<int>(y % 2), accumulate, to);
    if (!accumulate)
      std::memset(to + 2 * columns * in.channels, 0,
                  static_cast<std::size_t>((in.width - 2 * columns) * in.channels) * sizeof(float));
  });
}

}  // namespace gramflow::cpu
