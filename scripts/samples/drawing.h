#pragma once
// Small tools that both drawings share: vectors, hashes, smooth noise, a canvas of linear light.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow::drawing {

struct Vec {
  float x = 0;
  float y = 0;
  float z = 0;
};
inline Vec operator+(Vec a, Vec b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec operator-(Vec a, Vec b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec operator*(Vec a, Vec b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
inline Vec operator*(Vec a, float s) { return {a.x * s, a.y * s, a.z * s}; }
inline float dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec normalised(Vec a) { return a * (1 / std::sqrt(dot(a, a))); }
inline float mix(float a, float b, float t) { return a + (b - a) * t; }
inline Vec mix(Vec a, Vec b, float t) { return a + (b - a) * t; }
inline float smooth_step(float from, float to, float x) {
  const float t = std::clamp((x - from) / (to - from), 0.0F, 1.0F);
  return t * t * (3 - 2 * t);
}

inline std::uint32_t hash(std::uint32_t x, std::uint32_t y, std::uint32_t z = 0) {
  std::uint32_t h = x * 0x8DA6B343U ^ y * 0xD8163841U ^ z * 0xCB1AB31FU;
  h = (h ^ (h >> 16)) * 0x7FEB352DU;
  h = (h ^ (h >> 15)) * 0x846CA68BU;
  return h ^ (h >> 16);
}
/// [0, 1)
inline float random_at(int x, int y, int z = 0) {
  return static_cast<float>(hash(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y),
                                 static_cast<std::uint32_t>(z)) >>
                            8) *
         0x1p-24F;
}

/// A stream of random numbers.
class Random {
 public:
  explicit Random(std::uint32_t seed) : seed_(seed) {}
  float unit() { return static_cast<float>(hash(count_++, seed_, 77) >> 8) * 0x1p-24F; }
  float between(float low, float high) { return low + (high - low) * unit(); }
  /// Mean 0, deviation 1, nearly normal.
  float bell() { return (unit() + unit() + unit() + unit() - 2) * 1.7320508F; }

 private:
  std::uint32_t seed_;
  std::uint32_t count_ = 0;
};

/// Smooth noise in [0, 1] with its slopes.
struct NoiseValue {
  float value;
  float dx;
  float dy;
};
inline NoiseValue smooth_noise_with_slopes(float x, float y, int layer = 0) {
  const float fx = std::floor(x);
  const float fy = std::floor(y);
  const int ix = static_cast<int>(fx);
  const int iy = static_cast<int>(fy);
  const float u = x - fx;
  const float v = y - fy;
  const float su = u * u * u * (u * (u * 6 - 15) + 10);
  const float sv = v * v * v * (v * (v * 6 - 15) + 10);
  const float du = 30 * u * u * (u * (u - 2) + 1);
  const float dv = 30 * v * v * (v * (v - 2) + 1);
  const float a = random_at(ix, iy, layer);
  const float b = random_at(ix + 1, iy, layer);
  const float c = random_at(ix, iy + 1, layer);
  const float d = random_at(ix + 1, iy + 1, layer);
  const float k = a - b - c + d;
  return {a + (b - a) * su + (c - a) * sv + k * su * sv, du * (b - a + k * sv), dv * (c - a + k * su)};
}
inline float smooth_noise(float x, float y, int layer = 0) {
  return smooth_noise_with_slopes(x, y, layer).value;
}

inline float smooth_noise3(float x, float y, float z) {
  const float fz = std::floor(z);
  const int iz = static_cast<int>(fz);
  const float w = z - fz;
  return mix(smooth_noise(x, y, iz), smooth_noise(x, y, iz + 1), w * w * (3 - 2 * w));
}

/// Octaves of smooth noise, each half as strong and twice as fine, turned a little; in [0, 1], mean near 0.5.
inline float fractal_noise(float x, float y, int octaves, int layer = 0) {
  float sum = 0;
  float weight = 0.5F;
  float total = 0;
  for (int i = 0; i < octaves; ++i) {
    sum += weight * smooth_noise(x, y, layer + 31 * i);
    total += weight;
    weight *= 0.5F;
    const float turned = 1.6F * x - 1.2F * y;
    y = 1.2F * x + 1.6F * y;
    x = turned;
  }
  return sum / total;
}

/// Pixels of linear light, or of any colour the drawing likes.
struct Canvas {
  int width;
  int height;
  std::vector<Vec> pixels;
  Canvas(int w, int h)
      : width(w), height(h), pixels(static_cast<std::size_t>(w) * static_cast<std::size_t>(h)) {}
  Vec& at(int x, int y) {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
  }
  const Vec& at(int x, int y) const { return const_cast<Canvas*>(this)->at(x, y); }
};

}  // namespace gramflow::drawing

namespace gramflow {

/// A mountain lake in the light of a late autumn afternoon, as a photograph would show it.
Picture draw_landscape(int width, int height);

/// An oil painting of strong strokes: swirling sky, hills and a wheat field in complementary colours.
Picture draw_brushwork(int width, int height);

}  // namespace gramflow
