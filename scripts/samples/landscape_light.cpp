// Land is lit by the sun (with shadows), by the sky and by light from the slopes opposite; its colour is
// rock, snow, meadow or forest, by height, slope and noise. The lake is a mirror with ripples. Far things
// fade into blue air and lake mist.
#include "scripts/samples/landscape_light.h"

#include "scripts/samples/landscape_sky.h"

namespace gramflow::drawing {
namespace {

const Vec sun_light = {4.6F, 3.55F, 2.35F};
const Vec sky_light = {0.42F, 0.60F, 0.95F};

Vec air_between(Vec colour, float distance, Vec along, float height_there) {
  const float thick = distance * 0.92F;
  const Vec kept = {std::exp(-thick / 17500), std::exp(-thick / 13200), std::exp(-thick / 8600)};
  const float toward = std::max(0.0F, dot(along, normalised({-0.6F, 0, 0.8F})));
  const Vec air = mix({0.47F, 0.60F, 0.79F}, {0.86F, 0.75F, 0.63F}, 0.5F * toward * toward * toward);
  Vec seen = colour * kept + air * (Vec{1, 1, 1} - kept);
  // A thin mist lies over the far end of the lake.
  const float mist = 0.46F * (1 - std::exp(-std::max(0.0F, distance - 700) / 1500)) *
                     std::exp(-std::max(0.0F, height_there) / 34);
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
    albedo = tree >= 128 ? mix({0.30F, 0.185F, 0.035F}, {0.40F, 0.27F, 0.05F}, own)
                         : mix({0.028F, 0.052F, 0.026F}, {0.052F, 0.082F, 0.032F}, own);
    const float needles = smooth_noise3(p.x * 1.3F, p.z * 1.3F, p.y * 1.7F);
    albedo = albedo * (0.45F + 1.0F * needles);
    normal =
        normalised(normal + Vec{0, 0.55F, 0} +
                   Vec{random_at(static_cast<int>(p.x * 3), static_cast<int>(p.y * 3)) - 0.5F, 0, 0} * 0.5F);
  } else {
    const float patches = fractal_noise(p.x / 46, p.z / 46, 5, 300);
    const float fine = fractal_noise(p.x / 9, p.z / 9, 5, 310);
    const float strata = fractal_noise(p.x / 400 + 0.4F * p.y / 60, p.y / 26, 4, 320);
    const Vec rock = mix({0.115F, 0.105F, 0.098F}, {0.27F, 0.245F, 0.215F}, 0.55F * strata + 0.45F * fine) *
                     (0.7F + 0.6F * patches);
    const Vec grass = mix({0.135F, 0.125F, 0.040F}, {0.20F, 0.155F, 0.058F}, patches) * (0.7F + 0.6F * fine);
    const Vec forest = mix({0.022F, 0.042F, 0.024F}, {0.050F, 0.070F, 0.028F}, fine) *
                       (0.45F + 1.1F * smooth_noise(p.x / 7, p.z / 7, 330));
    const Vec larches = Vec{0.24F, 0.155F, 0.035F} * (0.55F + 0.9F * smooth_noise(p.x / 8, p.z / 8, 331));
    const float flat = normal.y;
    albedo = mix(rock, grass,
                 smooth_step(0.62F, 0.80F, flat + 0.12F * (fine - 0.5F)) *
                     smooth_step(1250, 800, p.y + 500 * (patches - 0.5F)));
    const float wooded =
        smooth_step(1010, 640, p.y + 560 * (fractal_noise(p.x / 260, p.z / 260, 5, 340) - 0.5F)) *
        smooth_step(0.46F, 0.62F, flat);
    if (!close) {
      const float golden =
          smooth_step(0.55F, 0.66F, fractal_noise(p.x / 210, p.z / 210, 4, 350) + 0.00012F * p.y);
      albedo = mix(albedo, mix(forest, larches, golden),
                   wooded * smooth_step(0.28F, 0.48F, fractal_noise(p.x / 90, p.z / 90, 4, 345)));
    }
    if (p.y < 4)
      albedo =
          mix(Vec{0.20F, 0.18F, 0.145F} * (0.55F + 0.9F * fine), albedo, smooth_step(1.0F, 3.5F, p.y + fine));
    const float line = 1130 + 620 * (fractal_noise(p.x / 330, p.z / 330, 6, 360) - 0.5F);
    const float lying = smooth_step(0.50F, 0.70F, flat + 0.22F * (fine - 0.5F) + 0.00016F * (p.y - line));
    albedo = mix(albedo, {0.86F, 0.88F, 0.92F}, smooth_step(line - 90, line + 210, p.y) * lying);
    // Roughness finer than the map.
    const float grain = close ? 0.25F : 0.42F;
    normal = normalised(normal + Vec{fractal_noise(p.x / 21, p.z / 21 + p.y / 15, 5, 370) - 0.5F, 0,
                                     fractal_noise(p.x / 21 + 40, p.z / 21 + p.y / 15, 5, 380) - 0.5F} *
                                     grain);
  }
  const float facing = std::max(0.0F, dot(normal, sun_direction));
  const float lit = facing > 0 ? world.sunlit(p + Vec{0, 0.25F, 0} + normal * (0.3F + 0.0006F * distance),
                                              1.2F + 0.001F * distance)
                               : 0;
  const float open = 0.35F + 0.65F * std::clamp(normal.y, 0.0F, 1.0F);
  const float bounce =
      std::clamp(dot(normal, normalised({-sun_direction.x, 0, -sun_direction.z})), 0.0F, 1.0F);
  const Vec light =
      sun_light * (facing * lit) + sky_light * (0.62F * open) + Vec{0.30F, 0.22F, 0.15F} * (bounce * 0.5F);
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
    const NoiseValue n =
        smooth_noise_with_slopes(p.x * scale * 0.55F + 7.0F * static_cast<float>(i), p.z * scale, 410 + i);
    sx += weight * n.dx * 0.6F;
    sz += weight * n.dy;
    scale *= 2.1F;
    weight *= 0.74F;
  }
  const float strength = calm * (0.35F + 0.65F * fade) * 1.15F;
  return normalised({sx * strength, 1, sz * strength});
}

}  // namespace

Vec trace(const World& world, Vec camera, Vec along, float jitter) {
  const float lake = along.y < -1e-4F ? camera.y / -along.y : -1;
  const float land = world.hit(camera, along, lake > 0 && lake < 300 ? std::min(lake, 300.0F) : 300);
  if (land > 0 && (lake < 0 || land < lake)) return shade_ground(world, camera + along * land, land, along);
  if (lake < 0 || lake > 15000) return sky(camera, along, 40, jitter);
  const Vec p = camera + along * lake;
  const Vec normal = water_normal(p, lake);
  Vec mirrored = along - normal * (2 * dot(along, normal));
  if (mirrored.y < 0.004F) mirrored.y = 0.004F;
  mirrored = normalised(mirrored);
  const float fresnel = 0.02F + 0.98F * std::pow(1 - std::clamp(dot(normal, along * -1), 0.0F, 1.0F), 5.0F);
  const float shore = world.hit(p, mirrored, 2);
  const Vec seen = shore > 0 ? shade_ground(world, p + mirrored * shore, lake + shore, along)
                             : sky(camera, mirrored, 20, jitter);
  const float depth = std::clamp(-world.height(p.x, p.z) / 9, 0.0F, 1.0F);
  const Vec body = mix({0.085F, 0.105F, 0.075F}, {0.012F, 0.045F, 0.058F}, depth);
  return air_between(mix(body, seen * Vec{0.90F, 0.94F, 0.95F}, std::min(1.0F, 0.14F + fresnel * 0.94F)),
                     lake * 0.8F, along, 40);
}

}  // namespace gramflow::drawing
