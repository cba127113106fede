// A landscape by ray marching. The terrain is a height map made from fractal noise whose octaves weaken on slopes (which looks like
// erosion); a finer map near the lake also carries every tree of the forest as a cone. A ray from the camera walks over the
// maps until it is below them; the lake is a mirror with ripples; clouds are a slab of fractal density lit by the sun; far
// things fade into blue air. Near conifers and the bank are drawn with strokes on top. At the end: exposure, a film-like
// curve, a little grain. Metres throughout: x to the right, y up, z away from the camera; the lake lies at y = 0.
#include <array>

#include "configs/images/drawing.h"
#include "framework/base/parallel.h"
#include "nodes/image/transfer.h"

namespace gramflow {
namespace {

using namespace drawing;

const Vec sun_direction = normalised({-0.78F, 0.40F, -0.30F});
const Vec sun_light = {4.6F, 3.55F, 2.35F};
const Vec sky_light = {0.42F, 0.60F, 0.95F};
const Vec camera = {0, 5.5F, 0};
constexpr float highest = 3300;
constexpr float horizon_shift = 0.095F;  // the camera looks up by this much
constexpr float half_width = 0.53F;      // tangent of half the field of view

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
  const float low = -14 + 60 * smooth_step(-60, 700, s) * (0.35F + 1.1F * fractal_noise(x / 260, z / 260, 6, 9));
  const float hills = 330 * smooth_step(120, 2000, s) * (0.25F + fractal_noise(x / 1100, z / 1100, 7, 21));
  const float e = eroded(x / 2300 + 11.3F, z / 2300 + 4.1F, 11);
  const float massif = 780 * smooth_step(700, 5200, s) * e;
  // The peaks are placed, not found: a main one left of the middle, lower company on both sides.
  const float wobble_x = x + 420 * (fractal_noise(x / 900, z / 900, 5, 40) - 0.5F);
  const float wobble_z = z + 520 * (fractal_noise(x / 900, z / 900, 5, 50) - 0.5F);
  const float peaks = 1290 * bump(wobble_x, wobble_z, -780, 6600, 2500, 2300) + 900 * bump(wobble_x, wobble_z, 700, 7600, 1900, 2400) +
                      980 * bump(wobble_x, wobble_z, 2500, 7400, 2100, 2300) + 900 * bump(wobble_x, wobble_z, -3100, 6000, 1900, 2200) +
                      620 * bump(wobble_x, wobble_z, -1900, 3300, 1500, 1500) + 460 * bump(wobble_x, wobble_z, 1900, 3600, 1400, 1700);
  const float jagged = 0.62F + 0.62F * e;
  return low + hills + massif + peaks * jagged;
}

// Heights on a grid, looked up between its points.
struct HeightMap {
  float x0;
  float z0;
  float cell;
  int columns;
  int rows;
  std::vector<float> heights;

  HeightMap(float left, float near, float size, int nx, int nz)
      : x0(left), z0(near), cell(size), columns(nx), rows(nz), heights(static_cast<std::size_t>(nx) * static_cast<std::size_t>(nz)) {
    parallel_for(nz, [&](std::int64_t j, int) {
      for (int i = 0; i < nx; ++i) at(i, static_cast<int>(j)) = ground(x0 + static_cast<float>(i) * cell, z0 + static_cast<float>(j) * cell);
    });
  }
  float& at(int i, int j) { return heights[static_cast<std::size_t>(j) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(i)]; }
  float at(int i, int j) const { return const_cast<HeightMap*>(this)->at(i, j); }
  bool covers(float x, float z) const {
    const float i = (x - x0) / cell;
    const float j = (z - z0) / cell;
    return i >= 1 && j >= 1 && i < static_cast<float>(columns - 2) && j < static_cast<float>(rows - 2);
  }
  float height(float x, float z) const {
    const float fi = std::clamp((x - x0) / cell, 0.0F, static_cast<float>(columns) - 1.001F);
    const float fj = std::clamp((z - z0) / cell, 0.0F, static_cast<float>(rows) - 1.001F);
    const int i = static_cast<int>(fi);
    const int j = static_cast<int>(fj);
    const float u = fi - static_cast<float>(i);
    const float v = fj - static_cast<float>(j);
    return mix(mix(at(i, j), at(i + 1, j), u), mix(at(i, j + 1), at(i + 1, j + 1), u), v);
  }
};

struct World {
  HeightMap far{-7200, 200, 7, 2060, 1700};
  HeightMap near{-1150, 550, 0.6F, 3830, 3000};
  std::vector<std::uint8_t> tree_kind;  // on the near map: 0 ground, otherwise a tree and its shade

  World() : tree_kind(near.heights.size()) { plant(); }

  std::uint8_t& kind(int i, int j) { return tree_kind[static_cast<std::size_t>(j) * static_cast<std::size_t>(near.columns) + static_cast<std::size_t>(i)]; }
  std::uint8_t kind_at(float x, float z) const {
    const int i = static_cast<int>((x - near.x0) / near.cell + 0.5F);
    const int j = static_cast<int>((z - near.z0) / near.cell + 0.5F);
    return tree_kind[static_cast<std::size_t>(j) * static_cast<std::size_t>(near.columns) + static_cast<std::size_t>(i)];
  }

  // Trees stand on a jittered grid where the soil allows; each raises the near map to its cone.
  void plant() {
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
        const float foot = soil[static_cast<std::size_t>(cj) * static_cast<std::size_t>(near.columns) + static_cast<std::size_t>(ci)];
        if (foot < 1.2F) continue;
        const float meadow = fractal_noise(x / 190, z / 190, 3, 60);
        if (random_at(p, q, 3) < smooth_step(0.50F, 0.66F, meadow) * 1.1F) continue;
        const bool larch = fractal_noise(x / 120, z / 120, 3, 70) + 0.35F * random_at(p, q, 4) > 0.77F;
        const float tall = mix(9, 25, random_at(p, q, 5)) * mix(0.55F, 1, smooth_step(1, 9, foot));
        const float radius = tall * (larch ? 0.21F : 0.155F) + 0.7F;
        const int reach = static_cast<int>(radius / near.cell) + 1;
        const auto shade = static_cast<std::uint8_t>((larch ? 128 : 1) + static_cast<int>(random_at(p, q, 6) * 126));
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

  float height(float x, float z) const { return near.covers(x, z) ? near.height(x, z) : far.height(x, z); }

  Vec normal(float x, float z, float step) const {
    return normalised({height(x - step, z) - height(x + step, z), 2 * step, height(x, z - step) - height(x, z + step)});
  }

  // Distance to the ground along a ray, or -1.
  float hit(Vec from, Vec along, float start) const {
    float t = start;
    float before = t;
    for (int i = 0; i < 700 && t < 15000; ++i) {
      const Vec p = from + along * t;
      if (p.y > highest && along.y > 0) return -1;
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

  // 0 in shadow, 1 in the sun, with a soft edge.
  float sunlit(Vec p, float start) const {
    float light = 1;
    float t = start;
    for (int i = 0; i < 90 && t < 6000; ++i) {
      const Vec q = p + sun_direction * t;
      if (q.y > highest) break;
      const float above = q.y - height(q.x, q.z);
      light = std::min(light, 0.5F + 22 * above / t);
      if (light <= 0) return 0;
      t += std::clamp(above * 0.55F, 0.9F + 0.006F * t, 120.0F);
    }
    return smooth_step(0, 1, light);
  }
};

Vec clear_sky(Vec along) {
  const float up = std::max(0.0F, along.y);
  const Vec zenith = {0.115F, 0.26F, 0.60F};
  const Vec low = {0.66F, 0.76F, 0.86F};
  Vec colour = mix(low, zenith, 1 - std::exp(-up * 4.4F));
  const float toward = std::max(0.0F, dot(normalised({along.x, 0.1F, along.z}), normalised({sun_direction.x, 0.1F, 0.35F})));
  colour = mix(colour, {1.15F, 0.86F, 0.58F}, 0.55F * toward * toward * std::exp(-up * 6.5F));
  return colour;
}

float cloud_density(Vec p) {
  const float level = (p.y - 2300) / 900;
  if (level < 0 || level > 1) return 0;
  const float x = p.x / 2600 + 0.35F;
  const float z = p.z / 2600 + 2.2F;
  const float shape = fractal_noise(x, z, 3, 200);
  const float billow = smooth_noise3(p.x / 520, p.z / 520, p.y / 330) * 0.5F + smooth_noise3(p.x / 240, p.z / 240, p.y / 170) * 0.27F +
                       smooth_noise3(p.x / 105, p.z / 105, p.y / 80) * 0.15F + smooth_noise3(p.x / 50, p.z / 50, p.y / 38) * 0.08F;
  const float round = std::sqrt(level) * (1 - level) * 2.6F;  // flat below, round above
  return std::clamp((shape * 0.85F + billow * 0.75F - 1.01F + 0.16F * round) * 4.6F, 0.0F, 1.0F) * std::min(1.0F, level * 9);
}

Vec sky(Vec along, int steps, float jitter) {
  const Vec clear = clear_sky(along);
  if (along.y < 0.03F) return clear;
  const float enter = (2300 - camera.y) / along.y;
  const float leave = (3200 - camera.y) / along.y;
  if (enter > 42000) return clear;
  const float step = (leave - enter) / static_cast<float>(steps);
  float through = 1;
  Vec light = {0, 0, 0};
  for (int i = 0; i < steps && through > 0.02F; ++i) {
    const Vec p = camera + along * (enter + (static_cast<float>(i) + jitter) * step);
    const float density = cloud_density(p);
    if (density <= 0.003F) continue;
    float shade = 0;
    for (int k = 1; k <= 4; ++k) shade += cloud_density(p + sun_direction * (65.0F * static_cast<float>(k)));
    const float level = (p.y - 2300) / 900;
    const Vec lit = Vec{1.62F, 1.40F, 1.17F} * std::exp(-shade * 0.85F) + mix({0.42F, 0.47F, 0.58F}, {0.66F, 0.74F, 0.88F}, level) * 0.72F;
    const float absorbed = 1 - std::exp(-density * std::min(step, 260.0F) * 0.011F);
    light = light + lit * (through * absorbed);
    through *= 1 - absorbed;
  }
  const float haze = std::exp(-enter / 21000);  // far clouds fade into the air
  return mix(clear, clear * through + light, haze);
}

Vec air_between(Vec colour, float distance, Vec along, float height_there) {
  const float thick = distance * 0.92F;
  const Vec kept = {std::exp(-thick / 17500), std::exp(-thick / 13200), std::exp(-thick / 8600)};
  const float toward = std::max(0.0F, dot(along, normalised({-0.6F, 0, 0.8F})));
  const Vec air = mix({0.47F, 0.60F, 0.79F}, {0.86F, 0.75F, 0.63F}, 0.5F * toward * toward * toward);
  Vec seen = colour * kept + air * (Vec{1, 1, 1} - kept);
  // A thin mist lies over the far end of the lake.
  const float mist = 0.46F * (1 - std::exp(-std::max(0.0F, distance - 700) / 1500)) * std::exp(-std::max(0.0F, height_there) / 34);
  return mix(seen, {0.80F, 0.80F, 0.82F}, mist);
}

Vec shade_ground(const World& world, Vec p, float distance, Vec along) {
  const bool close = world.near.covers(p.x, p.z);
  const float footprint = std::max(distance * 0.0009F, close ? 0.6F : 5.0F);
  const std::uint8_t tree = close ? world.kind_at(p.x, p.z) : std::uint8_t{0};
  Vec normal = world.normal(p.x, p.z, footprint * 1.1F);
  Vec albedo;
  if (tree > 0) {
    const float own = static_cast<float>(tree % 128) / 127;
    albedo = tree >= 128 ? mix({0.30F, 0.185F, 0.035F}, {0.40F, 0.27F, 0.05F}, own) : mix({0.028F, 0.052F, 0.026F}, {0.052F, 0.082F, 0.032F}, own);
    const float needles = smooth_noise3(p.x * 1.3F, p.z * 1.3F, p.y * 1.7F);
    albedo = albedo * (0.45F + 1.0F * needles);
    normal = normalised(normal + Vec{0, 0.55F, 0} + Vec{random_at(static_cast<int>(p.x * 3), static_cast<int>(p.y * 3)) - 0.5F, 0, 0} * 0.5F);
  } else {
    const float patches = fractal_noise(p.x / 46, p.z / 46, 5, 300);
    const float fine = fractal_noise(p.x / 9, p.z / 9, 5, 310);
    const float strata = fractal_noise(p.x / 400 + 0.4F * p.y / 60, p.y / 26, 4, 320);
    const Vec rock = mix({0.115F, 0.105F, 0.098F}, {0.27F, 0.245F, 0.215F}, 0.55F * strata + 0.45F * fine) * (0.7F + 0.6F * patches);
    const Vec grass = mix({0.135F, 0.125F, 0.040F}, {0.20F, 0.155F, 0.058F}, patches) * (0.7F + 0.6F * fine);
    const Vec forest = mix({0.022F, 0.042F, 0.024F}, {0.050F, 0.070F, 0.028F}, fine) * (0.45F + 1.1F * smooth_noise(p.x / 7, p.z / 7, 330));
    const Vec larches = Vec{0.24F, 0.155F, 0.035F} * (0.55F + 0.9F * smooth_noise(p.x / 8, p.z / 8, 331));
    const float flat = normal.y;
    albedo = mix(rock, grass, smooth_step(0.62F, 0.80F, flat + 0.12F * (fine - 0.5F)) * smooth_step(1250, 800, p.y + 500 * (patches - 0.5F)));
    const float wooded = smooth_step(1010, 640, p.y + 560 * (fractal_noise(p.x / 260, p.z / 260, 5, 340) - 0.5F)) * smooth_step(0.46F, 0.62F, flat);
    if (!close) {
      const float golden = smooth_step(0.55F, 0.66F, fractal_noise(p.x / 210, p.z / 210, 4, 350) + 0.00012F * p.y);
      albedo = mix(albedo, mix(forest, larches, golden), wooded * smooth_step(0.28F, 0.48F, fractal_noise(p.x / 90, p.z / 90, 4, 345)));
    }
    if (p.y < 4) albedo = mix(Vec{0.20F, 0.18F, 0.145F} * (0.55F + 0.9F * fine), albedo, smooth_step(1.0F, 3.5F, p.y + fine));
    const float line = 1130 + 620 * (fractal_noise(p.x / 330, p.z / 330, 6, 360) - 0.5F);
    const float lying = smooth_step(0.50F, 0.70F, flat + 0.22F * (fine - 0.5F) + 0.00016F * (p.y - line));
    albedo = mix(albedo, {0.86F, 0.88F, 0.92F}, smooth_step(line - 90, line + 210, p.y) * lying);
    // Roughness finer than the map.
    const float grain = close ? 0.25F : 0.42F;
    normal = normalised(normal + Vec{fractal_noise(p.x / 21, p.z / 21 + p.y / 15, 5, 370) - 0.5F, 0, fractal_noise(p.x / 21 + 40, p.z / 21 + p.y / 15, 5, 380) - 0.5F} * grain);
  }
  const float facing = std::max(0.0F, dot(normal, sun_direction));
  const float lit = facing > 0 ? world.sunlit(p + Vec{0, 0.25F, 0} + normal * (0.3F + 0.0006F * distance), 1.2F + 0.001F * distance) : 0;
  const float open = 0.35F + 0.65F * std::clamp(normal.y, 0.0F, 1.0F);
  const float bounce = std::clamp(dot(normal, normalised({-sun_direction.x, 0, -sun_direction.z})), 0.0F, 1.0F);
  const Vec light = sun_light * (facing * lit) + sky_light * (0.62F * open) + Vec{0.30F, 0.22F, 0.15F} * (bounce * 0.5F);
  return air_between(albedo * light * 0.62F, distance, along, p.y);
}

Vec water_normal(Vec p, float distance) {
  // Long ripples across the view, calmer in patches; far away they average out.
  const float calm = 0.25F + 1.25F * smooth_step(0.42F, 0.68F, fractal_noise(p.x / 170, p.z / 60, 4, 400));
  const float fade = 1 / (1 + distance / 420);
  float sx = 0;
  float sz = 0;
  float scale = 1.0F / 5.0F;
  float weight = 0.011F;
  for (int i = 0; i < 5; ++i) {
    const NoiseValue n = smooth_noise_with_slopes(p.x * scale * 0.55F + 7.0F * static_cast<float>(i), p.z * scale, 410 + i);
    sx += weight * n.dx * 0.6F;
    sz += weight * n.dy;
    scale *= 2.1F;
    weight *= 0.74F;
  }
  const float strength = calm * (0.35F + 0.65F * fade) * 1.15F;
  return normalised({sx * strength, 1, sz * strength});
}

Vec trace(const World& world, Vec along, float jitter) {
  const float lake = along.y < -1e-4F ? camera.y / -along.y : -1;
  const float land = world.hit(camera, along, lake > 0 && lake < 300 ? std::min(lake, 300.0F) : 300);
  if (land > 0 && (lake < 0 || land < lake)) return shade_ground(world, camera + along * land, land, along);
  if (lake < 0 || lake > 15000) return sky(along, 40, jitter);
  const Vec p = camera + along * lake;
  const Vec normal = water_normal(p, lake);
  Vec mirrored = along - normal * (2 * dot(along, normal));
  if (mirrored.y < 0.004F) mirrored.y = 0.004F;
  mirrored = normalised(mirrored);
  const float fresnel = 0.02F + 0.98F * std::pow(1 - std::clamp(dot(normal, along * -1), 0.0F, 1.0F), 5.0F);
  const float shore = world.hit(p, mirrored, 2);
  const Vec seen = shore > 0 ? shade_ground(world, p + mirrored * shore, lake + shore, along) : sky(mirrored, 20, jitter);
  const float depth = std::clamp(-world.height(p.x, p.z) / 9, 0.0F, 1.0F);
  const Vec body = mix({0.085F, 0.105F, 0.075F}, {0.012F, 0.045F, 0.058F}, depth);
  return air_between(mix(body, seen * Vec{0.90F, 0.94F, 0.95F}, std::min(1.0F, 0.14F + fresnel * 0.94F)), lake * 0.8F, along, 40);
}

// A stroke of light with soft ends, for needles and grass.
void stroke(Canvas& canvas, float x0, float y0, float x1, float y1, float wide, Vec colour, float cover) {
  const int left = std::max(0, static_cast<int>(std::min(x0, x1) - wide - 1));
  const int right = std::min(canvas.width - 1, static_cast<int>(std::max(x0, x1) + wide + 1));
  const int top = std::max(0, static_cast<int>(std::min(y0, y1) - wide - 1));
  const int bottom = std::min(canvas.height - 1, static_cast<int>(std::max(y0, y1) + wide + 1));
  const float dx = x1 - x0;
  const float dy = y1 - y0;
  const float length2 = std::max(1e-6F, dx * dx + dy * dy);
  for (int y = top; y <= bottom; ++y)
    for (int x = left; x <= right; ++x) {
      const float t = std::clamp(((static_cast<float>(x) - x0) * dx + (static_cast<float>(y) - y0) * dy) / length2, 0.0F, 1.0F);
      const float ex = static_cast<float>(x) - x0 - t * dx;
      const float ey = static_cast<float>(y) - y0 - t * dy;
      const float taper = wide * (1 - 0.6F * t);
      const float alpha = cover * std::clamp(taper + 0.5F - std::sqrt(ex * ex + ey * ey), 0.0F, 1.0F);
      canvas.at(x, y) = mix(canvas.at(x, y), colour, alpha);
    }
}

// A spruce in front of everything, seen against the light side: branches in whorls, each hung with twigs.
void conifer(Canvas& canvas, float x, float foot, float tall, float wide, std::uint32_t seed) {
  Random random(seed);
  const float unit = static_cast<float>(canvas.height) / 800;
  const float lean = random.between(-0.012F, 0.012F);
  const auto trunk_x = [&](float up) { return x + lean * up * tall + 1.5F * unit * std::sin(up * 7); };
  for (float up = 0; up < 0.985F; up += 0.01F)
    stroke(canvas, trunk_x(up), foot - up * tall, trunk_x(up + 0.012F), foot - (up + 0.012F) * tall, (1 - up) * tall * 0.0125F + 0.5F, {0.020F, 0.014F, 0.010F}, 1);
  const int whorls = static_cast<int>(tall / (5.2F * unit));
  for (int k = 0; k < whorls; ++k) {
    const float up = 0.10F + 0.90F * static_cast<float>(k) / static_cast<float>(whorls);
    const float reach = wide * std::pow(1 - up, 0.82F) * random.between(0.72F, 1.08F) + 2 * unit;
    const int branches = up > 0.9F ? 4 : 8;
    for (int b = 0; b < branches; ++b) {
      const float turn = random.between(0, 6.2831853F);
      const float side = std::cos(turn);
      const float toward = std::sin(turn);  // 1: towards the camera
      const float span = reach * side * random.between(0.75F, 1.1F);
      const float droop = reach * random.between(0.16F, 0.40F) * (1.1F - up) + toward * reach * 0.13F;
      const float y = foot - up * tall + random.between(-3, 3) * unit;
      const float sunny = std::clamp(0.42F - 0.62F * side + 0.18F * toward, 0.0F, 1.0F);
      const int twigs = static_cast<int>(std::abs(span) / (1.7F * unit)) + 5;
      for (int w = 0; w < twigs; ++w) {
        const float along = (static_cast<float>(w) + random.unit()) / static_cast<float>(twigs);
        const float tx = trunk_x(up) + span * along;
        const float ty = y + droop * along * along + (1 - along) * -2 * unit;
        const float length = random.between(3.5F, 9.5F) * unit * (1.15F - 0.5F * along);
        const float way = (span > 0 ? 1.0F : -1.0F) * random.between(0.1F, 0.95F);
        const float lit = sunny * std::pow(random.unit(), 1.6F) * (0.35F + 0.65F * along);
        const Vec colour = mix({0.0085F, 0.0155F, 0.0115F}, {0.150F, 0.135F, 0.048F}, lit) * random.between(0.7F, 1.15F);
        stroke(canvas, tx, ty, tx + way * length, ty + length * random.between(0.35F, 0.95F), random.between(0.55F, 1.15F) * unit, colour, random.between(0.75F, 1.0F));
      }
    }
  }
}

// The near bank: stones, then grass that leans with the wind.
void near_bank(Canvas& canvas) {
  Random random(4242);
  const float unit = static_cast<float>(canvas.height) / 800;
  const auto w = static_cast<float>(canvas.width);
  const auto h = static_cast<float>(canvas.height);
  const auto edge = [&](float x) {
    const float s = x / w;
    const float bank = 0.955F + 0.07F * smooth_step(0.1F, 0.45F, s) - 0.165F * smooth_step(0.50F, 1.02F, s) + 0.012F * (fractal_noise(s * 9, 0.5F, 4, 500) - 0.5F);
    return bank * h;
  };
  for (int x = 0; x < canvas.width; ++x)
    for (int y = std::max(0, static_cast<int>(edge(static_cast<float>(x)))); y < canvas.height; ++y) {
      const float deep = (static_cast<float>(y) - edge(static_cast<float>(x))) / (40 * unit);
      const float soil = fractal_noise(static_cast<float>(x) / (7 * unit), static_cast<float>(y) / (4 * unit), 4, 510);
      canvas.at(x, y) = mix(canvas.at(x, y), Vec{0.040F, 0.034F, 0.018F} * (0.4F + 1.2F * soil), std::min(1.0F, deep * 3));
    }
  const int blades = 26000;
  for (int i = 0; i < blades; ++i) {
    const float order = static_cast<float>(i) / blades;  // back to front
    const float x = random.between(-0.02F, 1.02F) * w;
    const float y = edge(x) + order * order * 0.22F * h + random.between(-1, 5) * unit;
    if (y > h + 40 * unit) continue;
    const float clump = fractal_noise(x / (46 * unit), y / (30 * unit), 3, 520);
    const float tall = (5 + 24 * order * clump + 16 * clump * clump) * unit * random.between(0.6F, 1.3F);
    const float lean = random.between(-0.25F, 0.55F) * tall;
    const float lit = std::pow(random.unit(), 1.8F) * (0.35F + 0.9F * clump);
    const Vec dry = mix({0.052F, 0.046F, 0.016F}, {0.44F, 0.315F, 0.115F}, lit);
    const Vec green = mix({0.022F, 0.030F, 0.010F}, {0.195F, 0.190F, 0.055F}, lit);
    stroke(canvas, x, y, x + lean, y - tall, random.between(0.5F, 1.1F) * unit, mix(green, dry, smooth_step(0.40F, 0.62F, fractal_noise(x / (120 * unit), y / (60 * unit), 3, 530))), 0.9F);
  }
}

// Exposure and a curve with a soft shoulder (the fit of ACES by Krzysztof Narkowicz).
float film(float light) {
  const float x = light * 0.78F;
  return std::clamp(x * (2.51F * x + 0.03F) / (x * (2.43F * x + 0.59F) + 0.14F), 0.0F, 1.0F);
}

}  // namespace

Picture draw_landscape(int width, int height) {
  const World world;
  Canvas canvas(width, height);
  constexpr int rays = 3;  // squared, per pixel
  parallel_for(height, [&](std::int64_t row, int) {
    const int y = static_cast<int>(row);
    for (int x = 0; x < width; ++x) {
      Vec sum = {0, 0, 0};
      for (int k = 0; k < rays * rays; ++k) {
        const float u = (static_cast<float>(k % rays) + random_at(x, y, 900 + k)) / rays;
        const float v = (static_cast<float>(k / rays) + random_at(x, y, 950 + k)) / rays;
        const float px = ((static_cast<float>(x) + u) / static_cast<float>(width) * 2 - 1) * half_width;
        const float py = (1 - (static_cast<float>(y) + v) / static_cast<float>(height) * 2) * half_width * static_cast<float>(height) / static_cast<float>(width);
        const Vec light = trace(world, normalised({px, py + horizon_shift, 1}), random_at(x, y, 990 + k));
        sum = sum + Vec{std::min(light.x, 3.0F), std::min(light.y, 3.0F), std::min(light.z, 3.0F)};
      }
      canvas.at(x, y) = sum * (1.0F / (rays * rays));
    }
  });

  const auto w = static_cast<float>(width);
  const auto h = static_cast<float>(height);
  near_bank(canvas);
  conifer(canvas, 0.905F * w, 0.93F * h, 0.80F * h, 0.118F * w, 11);
  conifer(canvas, 0.985F * w, 0.95F * h, 0.66F * h, 0.10F * w, 12);
  conifer(canvas, 0.805F * w, 0.905F * h, 0.43F * h, 0.064F * w, 13);
  conifer(canvas, 0.012F * w, 0.985F * h, 0.36F * h, 0.060F * w, 15);

  Picture picture(PictureSize{width, height});
  Random grain(99);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const float dx = (static_cast<float>(x) / w - 0.5F) * 1.2F;
      const float dy = static_cast<float>(y) / h - 0.5F;
      const float vignette = 1 - 0.42F * (dx * dx + dy * dy);
      const Vec light = canvas.at(x, y) * vignette;
      const std::array<float, 3> channels = {light.x, light.y, light.z};
      const float speck = grain.bell() * 0.011F;
      for (std::size_t c = 0; c < 3; ++c)
        picture.pixel(x, y)[c] = std::clamp(srgb_from_linear(film(channels[c])) + speck + grain.bell() * 0.004F, 0.0F, 1.0F);
    }
  return picture;
}

}  // namespace gramflow
