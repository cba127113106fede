#include "tests/support/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "framework/base/parallel.h"

namespace gramflow::test {

namespace {
constexpr std::size_t fence = 1024;
constexpr float fence_value = 12345.678f;

std::int64_t source(std::int64_t position, std::int64_t size, cpu::Border border) {
  if (position >= 0 && position < size) return position;
  if (border == cpu::Border::zero) return -1;
  if (border == cpu::Border::replicate) return position < 0 ? 0 : size - 1;
  if (size == 1) return 0;
  while (position < 0 || position >= size) position = position < 0 ? -position : 2 * (size - 1) - position;
  return position;
}

std::size_t index(Shape shape, std::int64_t y, std::int64_t x, std::int64_t c) {
  return static_cast<std::size_t>((y * shape.width + x) * shape.channels + c);
}

/// Calls visit(output index, input index, weight) for every product of a convolution.
template <class Visit>
void for_products(const cpu::Filter& f, Shape input, Visit&& visit) {
  const Shape output{input.height + 2 * f.padding - f.kernel + 1, input.width + 2 * f.padding - f.kernel + 1,
                     f.out_channels};
  for (std::int64_t y = 0; y < output.height; ++y)
    for (std::int64_t x = 0; x < output.width; ++x)
      for (std::int64_t ky = 0; ky < f.kernel; ++ky)
        for (std::int64_t kx = 0; kx < f.kernel; ++kx) {
          const std::int64_t sy = source(y + ky - f.padding, input.height, f.border);
          const std::int64_t sx = source(x + kx - f.padding, input.width, f.border);
          if (sy < 0 || sx < 0) continue;
          for (std::int64_t o = 0; o < f.out_channels; ++o)
            for (std::int64_t i = 0; i < f.in_channels; ++i)
              visit(
                  index(output, y, x, o), index(input, sy, sx, i),
                  static_cast<double>(f.weights[((o * f.in_channels + i) * f.kernel + ky) * f.kernel + kx]));
        }
}
}  // namespace

std::vector<float> Random::floats(std::size_t count) {
  std::vector<float> values(count);
  for (float& value : values) value = normal();
  return values;
}

Image Random::image(Shape shape) {
  Image image(shape);
  image.values = floats(image.values.size());
  return image;
}

Scratch::Scratch(std::size_t bytes) : floats_((bytes + sizeof(float) - 1) / sizeof(float)) {
  memory_.assign(floats_ + fence, fence_value);
  std::fill_n(memory_.begin(), floats_, std::numeric_limits<float>::quiet_NaN());
}

bool Scratch::intact() const {
  return std::all_of(memory_.begin() + static_cast<std::ptrdiff_t>(floats_), memory_.end(),
                     [](float value) { return value == fence_value; });
}

FilterData::FilterData(int in, int out, int kernel, Random& random) {
  const std::size_t area = static_cast<std::size_t>(kernel * kernel);
  weights = random.floats(static_cast<std::size_t>(in) * static_cast<std::size_t>(out) * area);
  for (float& weight : weights) weight /= std::sqrt(static_cast<float>(in) * static_cast<float>(area));
  bias = random.floats(static_cast<std::size_t>(out));
  for (float& value : bias) value *= 0.3f;
  filter = {weights.data(), bias.data(), in, out, kernel, kernel / 2, cpu::Border::zero};
}

Doubles convolve(const cpu::Filter& f, const Image& input) {
  const Shape output{input.shape.height + 2 * f.padding - f.kernel + 1,
                     input.shape.width + 2 * f.padding - f.kernel + 1, f.out_channels};
  Doubles result(static_cast<std::size_t>(output.elements()));
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = static_cast<double>(f.bias[i % static_cast<std::size_t>(f.out_channels)]);
  for_products(f, input.shape, [&](std::size_t to, std::size_t from, double weight) {
    result[to] += weight * static_cast<double>(input.values[from]);
  });
  return result;
}

Doubles convolve_backward(const cpu::Filter& f, Shape input, const Doubles& gradient) {
  Doubles result(static_cast<std::size_t>(input.elements()));
  for_products(f, input, [&](std::size_t to, std::size_t from, double weight) {
    result[from] += weight * gradient[to];
  });
  return result;
}

std::vector<std::uint8_t> mask_of(const std::vector<float>& values, Shape shape) {
  const std::int64_t bytes = (shape.channels + 7) / 8;
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(shape.pixels() * bytes));
  for (std::int64_t p = 0; p < shape.pixels(); ++p)
    for (std::int64_t c = 0; c < shape.channels; ++c)
      if (values[static_cast<std::size_t>(p * shape.channels + c)] > 0)
        mask[static_cast<std::size_t>(p * bytes + c / 8)] |= static_cast<std::uint8_t>(1 << (c % 8));
  return mask;
}

bool bit(const std::vector<std::uint8_t>& mask, Shape shape, std::int64_t element) {
  const std::int64_t pixel = element / shape.channels;
  const std::int64_t c = element % shape.channels;
  return (mask[static_cast<std::size_t>(pixel * ((shape.channels + 7) / 8) + c / 8)] >> (c % 8)) & 1;
}

double relative_rms(const std::vector<float>& a, const Doubles& b) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    error += difference * difference;
    size += b[i] * b[i];
  }
  return size > 0 ? std::sqrt(error / size) : std::sqrt(error);
}

double largest_difference(const std::vector<float>& a, const Doubles& b) {
  double largest = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(a[i]) - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

Doubles doubles(const std::vector<float>& values) { return Doubles(values.begin(), values.end()); }

bool same_for_any_threads(const std::function<std::vector<float>()>& compute) {
  std::vector<float> first;
  for (const int threads : {1, 2, 3, 8}) {
    ThreadScope scope(threads);
    std::vector<float> now;
    scope.execute([&] { now = compute(); });
    if (first.empty()) first = now;
    if (now.size() != first.size() || std::memcmp(now.data(), first.data(), now.size() * sizeof(float)) != 0)
      return false;
  }
  return true;
}

}  // namespace gramflow::test
