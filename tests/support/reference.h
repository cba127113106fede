#pragma once
// The kernels' definitions again, in double and as plainly as possible, and what tests need to compare with
// them.
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "framework/devices/cpu/kernels.h"

namespace gramflow::test {

/// Floats with a shape, and a view of them.
struct Image {
  Shape shape;
  std::vector<float> values;
  explicit Image(Shape s, float fill = 0) : shape(s), values(static_cast<std::size_t>(s.elements()), fill) {}
  TensorView view() { return {values.data(), {shape, ElementType::f32}}; }
  float at(std::int64_t y, std::int64_t x, std::int64_t c) const {
    return values[static_cast<std::size_t>((y * shape.width + x) * shape.channels + c)];
  }
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  float normal() { return normal_(engine_); }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  Image image(Shape shape);
  std::vector<float> floats(std::size_t count);

 private:
  std::mt19937 engine_;
  std::normal_distribution<float> normal_;
};

/// Scratch of exactly the asked size, filled with NaN and fenced: `intact` is false once somebody wrote
/// behind it.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes);
  void* data() { return memory_.data(); }
  bool intact() const;

 private:
  std::size_t floats_;
  std::vector<float> memory_;
};

using Doubles = std::vector<double>;

/// Weights scaled so that outputs are about 1, and a bias.
struct FilterData {
  FilterData(int in, int out, int kernel, Random& random);
  cpu::Filter filter;
  std::vector<float> weights, bias;
};

Doubles convolve(const cpu::Filter& filter, const Image& input);
/// Data gradient for a gradient of the output.
Doubles convolve_backward(const cpu::Filter& filter, Shape input, const Doubles& gradient);

std::vector<std::uint8_t> mask_of(const std::vector<float>& values, Shape shape);
bool bit(const std::vector<std::uint8_t>& mask, Shape shape, std::int64_t element);

/// sqrt(mean (a-b)^2 / mean b^2)
double relative_rms(const std::vector<float>& a, const Doubles& b);
double largest_difference(const std::vector<float>& a, const Doubles& b);
Doubles doubles(const std::vector<float>& values);

/// What `compute` leaves with 1, 2, 3 and 8 threads must be the same bits; returns false otherwise.
bool same_for_any_threads(const std::function<std::vector<float>()>& compute);

}  // namespace gramflow::test
