#pragma once
// The closed formulas behind the golden files: weights and pictures that any language repeats exactly.
#include <cmath>
#include <cstdint>
#include <vector>

namespace gramflow::test {

/// u[k] in [0, 1): a 32-bit integer hash.
inline double formula(std::uint64_t k, std::uint64_t seed) {
  auto x = static_cast<std::uint32_t>(k + seed * 0x9E3779B9ULL);
  x ^= x >> 16;
  x *= 0x7FEB352DU;
  x ^= x >> 15;
  x *= 0x846CA68BU;
  x ^= x >> 16;
  return static_cast<double>(x) / 4294967296.0;
}

/// Weights OIHW of the convolution number `layer` (from 0).
inline std::vector<float> formula_weights(int in, int out, int layer, int seed) {
  std::vector<float> weights(static_cast<std::size_t>(in) * static_cast<std::size_t>(out) * 9);
  const double bound = std::sqrt(6.0 / (9.0 * in));
  for (std::size_t k = 0; k < weights.size(); ++k)
    weights[k] =
        static_cast<float>((2 * formula(k, static_cast<std::uint64_t>(100 * seed + layer)) - 1) * bound);
  return weights;
}

inline std::vector<float> formula_bias(int out, int layer, int seed) {
  std::vector<float> bias(static_cast<std::size_t>(out));
  for (std::size_t k = 0; k < bias.size(); ++k)
    bias[k] =
        static_cast<float>(0.1 * (2 * formula(k, static_cast<std::uint64_t>(100 * seed + 50 + layer)) - 1));
  return bias;
}

/// A network input of width x height, channels last.
inline std::vector<float> formula_image(int width, int height, int seed) {
  std::vector<float> image(static_cast<std::size_t>(width * height) * 3);
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const double smooth =
            0.5 + 0.5 * std::sin(0.11 * (seed + 1) * x + 0.7 * c) * std::cos(0.07 * (seed + 2) * y - 0.3 * c);
        const double noise = formula(static_cast<std::uint64_t>((c * height + y) * width + x),
                                     static_cast<std::uint64_t>(9000 + seed));
        image[static_cast<std::size_t>((y * width + x) * 3 + c)] =
            static_cast<float>((0.7 * smooth + 0.3 * noise - 0.5) * 4);
      }
  return image;
}

}  // namespace gramflow::test
