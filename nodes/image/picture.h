#pragma once
// A picture in memory: what every function of nodes/image takes and gives.
//
// Pixels are float, RGB, interleaved, row by row from the top left: element (y * width + x) * 3 + channel,
// which is the engine's channels-last layout, so the memory of a TensorView of 3 channels is a picture as it
// is. Values are sRGB-encoded (what an 8-bit PNG holds, divided by 255) and lie in [0, 1].
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/tensor/tensor.h"

namespace gramflow {

/// Width first, as people say picture sizes.
struct PictureSize {
  int width = 0;
  int height = 0;
  std::int64_t pixels() const { return std::int64_t{width} * height; }
  /// Floats that a picture of this size takes.
  std::size_t floats() const { return static_cast<std::size_t>(pixels()) * 3; }
  Shape shape() const { return {height, width, 3}; }
  bool operator==(const PictureSize&) const = default;
};

/// A picture that owns its pixels.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<float> rgb;

  Picture() = default;
  explicit Picture(PictureSize size) : width(size.width), height(size.height), rgb(size.floats()) {}
  PictureSize size() const { return {width, height}; }
  std::span<float> pixel(int x, int y) {
    return std::span(rgb).subspan(
        (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3, 3);
  }
  std::span<const float> pixel(int x, int y) const { return const_cast<Picture*>(this)->pixel(x, y); }
};

/// The size of the picture that a tensor of 3 channels holds.
inline PictureSize picture_size(const Shape& shape) {
  return {static_cast<int>(shape.width), static_cast<int>(shape.height)};
}

}  // namespace gramflow
