#pragma once
// The one data type of the engine: a dense block, channels last. A feature map of H x W pixels and C channels is stored
// row by row, pixel by pixel, the C channels of a pixel side by side. A Gram matrix is height = width = C, channels = 1.
// A scalar is 1 x 1 x 1.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gramflow {

struct Shape {
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t channels = 1;
  std::int64_t pixels() const { return height * width; }
  std::int64_t elements() const { return height * width * channels; }
  bool operator==(const Shape&) const = default;
  /// "64 channels, 450x300" (width x height, as people say picture sizes).
  std::string to_string() const;
};

enum class ElementType {
  f32,
  f64,
  u8,
  bits,  ///< one bit an element; each pixel starts on a byte, channel c is bit c % 8 of byte c / 8
};

struct TensorDesc {
  Shape shape;
  ElementType type = ElementType::f32;
  std::size_t bytes() const;
  bool operator==(const TensorDesc&) const = default;
};

/// Borrowed memory with its description. Whoever made it owns the memory; a default one is "not there".
struct TensorView {
  void* data = nullptr;
  TensorDesc desc;

  explicit operator bool() const { return data != nullptr; }
  float* f32() const { return static_cast<float*>(data); }
  double* f64() const { return static_cast<double*>(data); }
  std::uint8_t* u8() const { return static_cast<std::uint8_t*>(data); }
  std::span<float> floats() const { return {f32(), static_cast<std::size_t>(desc.shape.elements())}; }
  const Shape& shape() const { return desc.shape; }
};

}  // namespace gramflow
