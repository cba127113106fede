// The terrain is a height map made from fractal noise whose octaves weaken on slopes (which looks like
// erosion), with placed peaks, hills behind the shore and a lake in front. A finer map near the lake also
// carries the forest: each tree raises the map to its cone. A ray walks over the maps in steps that shrink
// near the ground, until it is below; then it is bisected.
#include "scripts/samples/landscape_world.h"

#include "framework/base/parallel.h"

namespace gramflow::drawing {
namespace {

// How far a place lies behind the shore: negative on the lake, growing inland.
float inland(float x, float z) {
  const float side = std::max(0.0F, x + 30 - 330) * 1.15F + std::max(0.0F, -(x + 30) - 250) * 1.35F;
  const float bays = (fractal_noise(x / 430 + 3.7F, z / 430, 4, 5) - 0.5F) * 620;
  return z - 1250 + side + bays;
}

// Fractal terrain after Inigo Quilez: octaves count less where the sum is already steep.
float eroded(float x, float y, int octaves) {
  float sum = 0;
  float weight = 1;
  float sx = 0;
  float sy = 0;
  for (int i = 0; i < octaves; ++i) {
    const NoiseValue n = smooth_noise_with_slopes(x, y, 100 + i);
    sx += n.dx;
    sy += n.dy;
    sum += weight * n.value / (1 + 1.1F * (sx * sx + sy * sy));
    weight *= 0.49F;
    const float turned = 1.6F * x - 1.2F * y;
    y = 1.2F * x + 1.6F * y;
    x = turned;
  }
  return sum;
}

float bump(float x, float z, float cx, float cz, float rx, float rz) {
  const float dx = (x - cx) / rx;
  const float dz = (z - cz) / rz;
  const float d = std::sqrt(dx * dx + dz * dz);
  return std::max(0.0F, 1 - d) * std::max(0.0F, 1 - d) * 0.45F + 0.55F * std::max(0.0F, 1 - d);
}

float ground(float x, float z) {
  const float s = inland(x, z);
  if (s < -150) return -30;
  const float low =
      -14 + 60 * smooth_step(-60, 700, s) * (0.35F + 1.1F * fractal_noise(x / 260, z / 260, 6, 9));
  const float hills = 330 * smooth_step(120, 2000, s) * (0.25F + fractal_noise(x / 1100, z / 1100, 7, 21));
  const float e = eroded(x / 2300 + 11.3F, z / 2300 + 4.1F, 11);
  const float massif = 780 * smooth_step(700, 5200, s) * e;
  // The peaks are placed, not found: a main one left of the middle, lower company on both sides.
  const float wobble_x = x + 420 * (fractal_noise(x / 900, z / 900, 5, 40) - 0.5F);
  const float wobble_z = z + 520 * (fractal_noise(x / 900, z / 900, 5, 50) - 0.5F);
  const float peaks = 1290 * bump(wobble_x, wobble_z, -780, 6600, 2500, 2300) +
                      900 * bump(wobble_x, wobble_z, 700, 7600, 1900, 2400) +
                      980 * bump(wobble_x, wobble_z, 2500, 7400, 2100, 2300) +
                      900 * bump(wobble_x, wobble_z, -3100, 6000, 1900, 2200) +
                      620 * bump(wobble_x, wobble_z, -1900, 3300, 1500, 1500) +
                      460 * bump(wobble_x, wobble_z, 1900, 3600, 1400, 1700);
  const float jagged = 0.62F + 0.62F * e;
  return low + hills + massif + peaks * jagged;
}

}  // namespace

HeightMap::HeightMap(float left, float near, float size, int nx, int nz)
    : x0(left),
      z0(near),
      cell(size),
      columns(nx),
      rows(nz),
      heights(static_cast<std::size_t>(nx) * static_cast<std::size_t>(nz)) {
  parallel_for(nz, [&](std::int64_t j, int) {
    for (int i = 0; i < nx; ++i)
      at(i, static_cast<int>(j)) =
          ground(x0 + static_cast<float>(i) * cell, z0 + static_cast<float>(j) * cell);
  });
}

World::World() : tree_kind(near.heights.size()) { plant(); }

// Trees stand on a jittered grid where the soil allows; each raises the near map to its cone.
void World::plant() {
  constexpr float spacing = 5.6F;
  const std::vector<float> soil = near.heights;
  const int across = static_cast<int>(static_cast<float>(near.columns) * near.cell / spacing);
  const int deep = static_cast<int>(static_cast<float>(near.rows) * near.cell / spacing);
  for (int q = 1; q < deep; ++q)
    for (int p = 1; p < across; ++p) {
      const float x = near.x0 + (static_cast<float>(p) + 0.9F * random_at(p, q, 1)) * spacing;
      const float z = near.z0 + (static_cast<float>(q) + 0.9F * random_at(p, q, 2)) * spacing;
      if (!near.covers(x, z)) continue;
      const int ci = static_cast<int>((x - near.x0) / near.cell);
      const int cj = static_cast<int>((z - near.z0) / near.cell);
      const float foot = soil[static_cast<std::size_t>(cj) * static_cast<std::size_t>(near.columns) +
                              static_cast<std::size_t>(ci)];
      if (foot < 1.2F) continue;
      const float meadow = fractal_noise(x / 190, z / 190, 3, 60);
      if (random_at(p, q, 3) < smooth_step(0.50F, 0.66F, meadow) * 1.1F) continue;
      const bool larch = fractal_noise(x / 120, z / 120, 3, 70) + 0.35F * random_at(p, q, 4) > 0.77F;
      const float tall = mix(9, 25, random_at(p, q, 5)) * mix(0.55F, 1, smooth_step(1, 9, foot));
      const float radius = tall * (larch ? 0.21F : 0.155F) + 0.7F;
      const int reach = static_cast<int>(radius / near.cell) + 1;
      const auto shade =
          static_cast<std::uint8_t>((larch ? 128 : 1) + static_cast<int>(random_at(p, q, 6) * 126));
      for (int j = std::max(0, cj - reach); j <= std::min(near.rows - 1, cj + reach); ++j)
        for (int i = std::max(0, ci - reach); i <= std::min(near.columns - 1, ci + reach); ++i) {
          const float dx = near.x0 + static_cast<float>(i) * near.cell - x;
          const float dz = near.z0 + static_cast<float>(j) * near.cell - z;
          const float ragged = 0.8F + 0.4F * random_at(i / 2, j / 2, 8);
          const float d = std::sqrt(dx * dx + dz * dz) / (radius * ragged);
          if (d >= 1) continue;
          const float top = foot + tall * (larch ? 1 - 0.45F * d - 0.55F * d * d : 1 - 0.94F * d);
          if (top > near.at(i, j)) {
            near.at(i, j) = top;
            kind(i, j) = shade;
          }
        }
    }
}

Vec World::normal(float x, float z, float step) const {
  return normalised(
      {height(x - step, z) - height(x + step, z), 2 * step, height(x, z - step) - height(x, z + step)});
}

float World::hit(Vec from, Vec along, float start) const {
  float t = start;
  float before = t;
  for (int i = 0; i < 700 && t < 15000; ++i) {
    const Vec p = from + along * t;
    if (p.y > highest_land && along.y > 0) return -1;
    const float above = p.y - height(p.x, p.z);
    if (above < 0) {
      float low = before;
      float high = t;
      for (int k = 0; k < 9; ++k) {
        const float middle = (low + high) / 2;
        const Vec q = from + along * middle;
        (q.y < height(q.x, q.z) ? high : low) = middle;
      }
      return high;
    }
    before = t;
    t += std::max(0.00042F * t + 0.05F, above * (near.covers(p.x, p.z) ? 0.22F : 0.33F));
  }
  return -1;
}

float World::sunlit(Vec p, float start) const {
  float light = 1;
  float t = start;
  for (int i = 0; i < 90 && t < 6000; ++i) {
    const Vec q = p + sun_direction * t;
    if (q.y > highest_land) break;
    const float above = q.y - height(q.x, q.z);
    light = std::min(light, 0.5F + 22 * above / t);
    if (light <= 0) return 0;
    t += std::clamp(above * 0.55F, 0.9F + 0.006F * t, 120.0F);
  }
  return smooth_step(0, 1, light);
}

}  // namespace gramflow::drawing
