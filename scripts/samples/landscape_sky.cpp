// A clear sky that pales towards the horizon, and in it clouds: a slab of fractal density that the sun lights
// from the left. A ray gathers light through the slab; how deep a place lies in the cloud as seen from the
// sun decides how bright it is.
#include "scripts/samples/landscape_sky.h"

#include "scripts/samples/landscape_world.h"

namespace gramflow::drawing {
namespace {

Vec clear_sky(Vec along) {
  const float up = std::max(0.0F, along.y);
  const Vec zenith = {0.115F, 0.26F, 0.60F};
  const Vec low = {0.66F, 0.76F, 0.86F};
  Vec colour = mix(low, zenith, 1 - std::exp(-up * 4.4F));
  const float toward =
      std::max(0.0F, dot(normalised({along.x, 0.1F, along.z}), normalised({sun_direction.x, 0.1F, 0.35F})));
  colour = mix(colour, {1.15F, 0.86F, 0.58F}, 0.55F * toward * toward * std::exp(-up * 6.5F));
  return colour;
}

float cloud_density(Vec p) {
  const float level = (p.y - 2300) / 900;
  if (level < 0 || level > 1) return 0;
  const float x = p.x / 2600 + 0.35F;
  const float z = p.z / 2600 + 2.2F;
  const float shape = fractal_noise(x, z, 3, 200);
  const float billow = smooth_noise3(p.x / 520, p.z / 520, p.y / 330) * 0.5F +
                       smooth_noise3(p.x / 240, p.z / 240, p.y / 170) * 0.27F +
                       smooth_noise3(p.x / 105, p.z / 105, p.y / 80) * 0.15F +
                       smooth_noise3(p.x / 50, p.z / 50, p.y / 38) * 0.08F;
  const float round = std::sqrt(level) * (1 - level) * 2.6F;  // flat below, round above
  return std::clamp((shape * 0.85F + billow * 0.75F - 1.01F + 0.16F * round) * 4.6F, 0.0F, 1.0F) *
         std::min(1.0F, level * 9);
}

}  // namespace

Vec sky(Vec from, Vec along, int steps, float jitter) {
  const Vec clear = clear_sky(along);
  if (along.y < 0.03F) return clear;
  const float enter = (2300 - from.y) / along.y;
  const float leave = (3200 - from.y) / along.y;
  if (enter > 42000) return clear;
  const float step = (leave - enter) / static_cast<float>(steps);
  float through = 1;
  Vec light = {0, 0, 0};
  for (int i = 0; i < steps && through > 0.02F; ++i) {
    const Vec p = from + along * (enter + (static_cast<float>(i) + jitter) * step);
    const float density = cloud_density(p);
    if (density <= 0.003F) continue;
    float shade = 0;
    for (int k = 1; k <= 4; ++k) shade += cloud_density(p + sun_direction * (65.0F * static_cast<float>(k)));
    const float level = (p.y - 2300) / 900;
    const Vec lit = Vec{1.62F, 1.40F, 1.17F} * std::exp(-shade * 0.85F) +
                    mix({0.42F, 0.47F, 0.58F}, {0.66F, 0.74F, 0.88F}, level) * 0.72F;
    const float absorbed = 1 - std::exp(-density * std::min(step, 260.0F) * 0.011F);
    light = light + lit * (through * absorbed);
    through *= 1 - absorbed;
  }
  const float haze = std::exp(-enter / 21000);  // far clouds fade into the air
  return mix(clear, clear * through + light, haze);
}

}  // namespace gramflow::drawing
