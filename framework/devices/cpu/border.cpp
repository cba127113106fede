#include "framework/devices/cpu/border.h"

#include <algorithm>
#include <cstring>

namespace gramflow::cpu {

std::int64_t border_source(std::int64_t position, std::int64_t size, Border border) {
  if (position >= 0 && position < size) return position;
  if (border == Border::zero) return -1;
  if (border == Border::replicate) return std::clamp<std::int64_t>(position, 0, size - 1);
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);
  const std::int64_t folded = ((position % period) + period) % period;
  return folded < size ? folded : period - folded;
}

void gather_with_border(const float* image, Shape shape, Border border, std::int64_t top, std::int64_t left,
                        std::int64_t rows, std::int64_t columns, float* to) {
  const std::size_t channels = static_cast<std::size_t>(shape.channels);
  const std::size_t pixel_bytes = channels * sizeof(float);
  const std::int64_t inside_begin = std::clamp<std::int64_t>(-left, 0, columns);
  const std::int64_t inside_end = std::clamp<std::int64_t>(shape.width - left, inside_begin, columns);
  for (std::int64_t row = 0; row < rows; ++row) {
    float* out = to + static_cast<std::size_t>(row * columns) * channels;
    const std::int64_t source_row = border_source(top + row, shape.height, border);
    if (source_row < 0) {
      std::memset(out, 0, static_cast<std::size_t>(columns) * pixel_bytes);
      continue;
    }
    const float* in = image + static_cast<std::size_t>(source_row * shape.width) * channels;
    const auto edge = [&](std::int64_t column) {
      const std::int64_t source = border_source(left + column, shape.width, border);
      float* pixel = out + static_cast<std::size_t>(column) * channels;
      if (source < 0)
        std::memset(pixel, 0, pixel_bytes);
      else
        std::memcpy(pixel, in + static_cast<std::size_t>(source) * channels, pixel_bytes);
    };
    for (std::int64_t column = 0; column < inside_begin; ++column) edge(column);
    if (inside_end > inside_begin)
      std::memcpy(out + static_cast<std::size_t>(inside_begin) * channels,
                  in + static_cast<std::size_t>(left + inside_begin) * channels,
                  static_cast<std::size_t>(inside_end - inside_begin) * pixel_bytes);
    for (std::int64_t column = inside_end; column < columns; ++column) edge(column);
  }
}

}  // namespace gramflow::cpu
