// The sky is a wavy current plus whirls: near a whirl's centre the brush circles it, and the colour goes
// through a palette along its spiral arms. The land is in layers, each with its own ridge line; strokes
// follow the slopes, the furrows run to a point at the horizon, and the river is drawn by its middle line and
// width.
#include "scripts/samples/brushwork_motif.h"

#include <array>

namespace gramflow::drawing {
namespace {

constexpr float sun_u = 1.02F;
constexpr float sun_v = 0.405F;

struct Whirl {
  float u;
  float v;
  float radius;
  float turn;  // +1 or -1
  float warmth;
};
constexpr std::array<Whirl, 5> whirls = {{{sun_u, sun_v, 0.21F, 1, 1},
                                          {0.34F, 0.21F, 0.22F, -1, 0},
                                          {0.72F, 0.06F, 0.11F, 1, 0.45F},
                                          {1.40F, 0.13F, 0.17F, -1, 0.1F},
                                          {0.06F, 0.43F, 0.10F, 1, 0.4F}}};

constexpr Vec night = {0.045F, 0.075F, 0.27F};
constexpr Vec ultramarine = {0.09F, 0.17F, 0.52F};
constexpr Vec cobalt = {0.13F, 0.33F, 0.69F};
constexpr Vec sky_blue = {0.36F, 0.60F, 0.80F};
constexpr Vec pale = {0.80F, 0.87F, 0.74F};
constexpr Vec lemon = {0.99F, 0.90F, 0.36F};
constexpr Vec cadmium = {0.98F, 0.71F, 0.10F};
constexpr Vec orange = {0.93F, 0.43F, 0.07F};
constexpr Vec red_earth = {0.64F, 0.21F, 0.08F};
constexpr Vec rose = {0.90F, 0.60F, 0.50F};
constexpr Vec violet = {0.33F, 0.24F, 0.55F};
constexpr Vec olive = {0.30F, 0.36F, 0.10F};
constexpr Vec viridian = {0.05F, 0.31F, 0.29F};

float far_ridge(float u) {
  return 0.545F - 0.075F * std::exp(-(u - 0.42F) * (u - 0.42F) / 0.035F) -
         0.045F * std::exp(-(u - 0.72F) * (u - 0.72F) / 0.012F) -
         0.06F * std::exp(-(u - 1.42F) * (u - 1.42F) / 0.02F) + 0.012F * std::sin(u * 19);
}
float near_ridge(float u) {
  return 0.605F + 0.024F * std::sin(u * 5.1F + 0.6F) - 0.05F * std::exp(-u * u / 0.05F) +
         0.007F * std::sin(u * 23);
}
float field_edge(float u) { return 0.665F + 0.012F * std::sin(u * 4.2F + 2.2F); }

// The river: where its middle is at a height of the picture, and how wide it is.
float river_middle(float v) {
  return 0.80F + 0.17F * std::sin((1 - v) * 10.5F + 0.7F) * (0.35F + (v - 0.66F) * 2.0F) -
         0.55F * (v - 0.66F);
}
float river_half_width(float v) {
  return 0.012F + 0.25F * (v - 0.66F) * (v - 0.66F) * 3.2F + 0.05F * (v - 0.66F);
}
bool in_river(float u, float v) { return v > 0.665F && std::abs(u - river_middle(v)) < river_half_width(v); }

struct Tree {
  float u;
  float foot;
  float radius;
};
constexpr std::array<Tree, 7> trees = {{{0.15F, 0.74F, 0.085F},
                                        {0.31F, 0.70F, 0.052F},
                                        {0.42F, 0.685F, 0.035F},
                                        {1.20F, 0.695F, 0.048F},
                                        {1.32F, 0.735F, 0.078F},
                                        {1.45F, 0.715F, 0.065F},
                                        {0.93F, 0.672F, 0.026F}}};
const Tree* tree_at(float u, float v) {
  for (const Tree& tree : trees) {
    const float du = u - tree.u;
    const float dv = (v - (tree.foot - tree.radius)) * 0.86F;
    if (du * du + dv * dv < tree.radius * tree.radius) return &tree;
  }
  return nullptr;
}

// Colours of a palette at t in [0, 1], evenly spaced.
template <std::size_t count>
Vec blend(const Vec (&colours)[count], float t) {
  const float place = std::clamp(t, 0.0F, 0.9999F) * static_cast<float>(count - 1);
  const auto i = static_cast<std::size_t>(place);
  return mix(colours[i], colours[i + 1], place - static_cast<float>(i));
}

Vec sky_colour(float u, float v, float chance) {
  const float low = smooth_step(0.05F, 0.56F, v);
  const float current = fractal_noise(u * 3.2F + 1.5F * v, v * 9 - 1.2F * std::sin(u * 4), 3, 7);
  Vec colour =
      blend({night, ultramarine, cobalt, sky_blue}, 0.10F + 0.75F * low * 0.6F + 1.2F * (current - 0.38F));
  for (const Whirl& whirl : whirls) {
    const float du = u - whirl.u;
    const float dv = v - whirl.v;
    const float r = std::hypot(du, dv) / whirl.radius;
    if (r > 1.9F) continue;
    const float arms = 0.5F + 0.5F * std::sin(2 * std::atan2(dv, du) * whirl.turn - 6.5F * std::sqrt(r));
    const Vec cool = blend({pale, sky_blue, cobalt, ultramarine, night}, 0.25F * r + 0.7F * arms);
    const Vec warm = blend({pale, rose, orange, violet, cobalt, ultramarine}, 0.42F * r + 0.5F * arms);
    colour = mix(colour, mix(cool, warm, smooth_step(0.35F, 0.65F, whirl.warmth + 0.3F * (0.9F - r))),
                 smooth_step(1.9F, 0.9F, r));
  }
  const float du = u - sun_u;
  const float dv = v - sun_v;
  const float from_sun = std::hypot(du, dv);
  const float rings = 0.5F + 0.5F * std::sin(from_sun * 95);
  const Vec glow = blend({{1.0F, 0.97F, 0.72F}, lemon, cadmium, orange, {0.80F, 0.55F, 0.45F}, cobalt},
                         from_sun / 0.34F + 0.13F * rings);
  colour = mix(glow, colour, smooth_step(0.13F, 0.33F, from_sun + 0.09F * (current - 0.5F)));
  // Warm light lies along the horizon.
  const float band = smooth_step(0.40F, 0.56F, v) * std::exp(-du * du / 0.35F);
  if (chance < band * 0.7F) colour = mix(colour, chance < 0.22F ? orange : cadmium, 0.8F);
  if (chance > 0.94F) colour = mix(colour, v < 0.3F ? sky_blue : pale, 0.6F);
  return colour;
}

Vec tree_colour(const Tree& tree, float u, float v, float chance) {
  const float side = (u - tree.u) / tree.radius * (tree.u < sun_u ? 1.0F : -1.0F);  // towards the sun
  const float top = (tree.foot - tree.radius - v) / tree.radius;
  const float lit = 0.42F + 0.34F * side + 0.30F * top;
  if (lit > 0.62F && chance < 0.65F) return blend({olive, orange, cadmium}, (lit - 0.5F) * 2);
  if (chance > 0.88F) return red_earth;
  return blend({night, viridian, {0.12F, 0.40F, 0.24F}, olive}, lit + 0.3F * (chance - 0.5F));
}

Vec river_colour(float u, float v, float chance) {
  const float across = (u - river_middle(v)) / river_half_width(v);
  const float shine = std::exp(-(across - 0.15F) * (across - 0.15F) / 0.12F);
  if (chance < 0.62F * shine) return blend({lemon, cadmium, pale}, chance * 2.2F);
  return blend({night, ultramarine, cobalt, sky_blue}, 0.25F + 0.5F * shine + 0.5F * (chance - 0.5F));
}

Vec field_colour(float u, float v, float chance) {
  const float depth = (v - 0.64F) / 0.36F;
  const float furrow = (u - 0.80F) / (v - 0.60F);
  const float row = 0.5F + 0.5F * std::sin(furrow * 15);
  const float patch = fractal_noise(furrow * 0.7F + 3, v * 7, 3, 60);
  const Vec wheat =
      blend({red_earth, orange, cadmium, lemon, cadmium}, 0.12F + 0.75F * row + 0.5F * (patch - 0.5F));
  const Vec green = blend({viridian, olive, {0.55F, 0.58F, 0.14F}, cadmium}, row * 0.9F);
  Vec colour = mix(wheat, green, smooth_step(0.50F, 0.58F, patch));
  if (row < 0.3F && chance < 0.55F) colour = mix(ultramarine, viridian, chance);
  if (chance > 0.93F) colour = red_earth;
  return mix(colour, mix(colour, ultramarine, 0.35F),
             smooth_step(0.75F, 1.05F, depth) * (chance < 0.5F ? 1.0F : 0.2F));
}

}  // namespace

BrushFlow motif_flow(float u, float v) {
  float x = 1;
  float y = 0;
  const bool sky = v < far_ridge(u);
  const Tree* tree = tree_at(u, v);
  if (tree != nullptr) {
    x = (u - tree->u) * 1.3F + 0.35F * tree->radius * std::sin(v * 70);  // leaves fan out of the trunk
    y = -1.1F * tree->radius + 0.5F * (v - tree->foot);
  } else if (sky) {
    y = 0.55F * std::sin(u * 5.2F + v * 7);
    for (const Whirl& whirl : whirls) {
      const float du = u - whirl.u;
      const float dv = v - whirl.v;
      const float r = std::hypot(du, dv) / whirl.radius;
      const float pull = 9 * std::exp(-r * r * 0.9F) / whirl.radius;
      x += (-dv * whirl.turn - 0.22F * du) * pull;
      y += (du * whirl.turn - 0.22F * dv) * pull;
    }
  } else if (v < near_ridge(u)) {
    x = 1;
    y = (far_ridge(u + 0.01F) - far_ridge(u - 0.01F)) / 0.02F + 0.7F * std::sin(u * 14);
  } else if (v < field_edge(u)) {
    x = 1;
    y = (near_ridge(u + 0.01F) - near_ridge(u - 0.01F)) / 0.02F + 0.25F * std::sin(u * 31);
  } else if (in_river(u, v)) {
    x = (river_middle(v + 0.01F) - river_middle(v - 0.01F)) / 0.02F + 0.6F;
    y = 0.55F;
  } else {
    x = u - 0.80F + 0.10F * std::sin(v * 40 + u * 9);
    y = v - 0.58F + 0.03F * std::sin(u * 21);
  }
  const float size = std::max(1e-6F, std::hypot(x, y));
  return {x / size, y / size};
}

Vec motif_colour(float u, float v, float chance) {
  if (const Tree* tree = tree_at(u, v)) return tree_colour(*tree, u, v, chance);
  if (v < far_ridge(u)) return sky_colour(u, v, chance);
  const float bands = fractal_noise(u * 6, v * 30, 3, 40);
  if (v < near_ridge(u)) {
    const float rim = smooth_step(0.02F, 0.0F, v - far_ridge(u));
    if (chance < 0.5F * rim) return mix(orange, cadmium, chance);
    return blend({night, ultramarine, {0.29F, 0.22F, 0.55F}, cobalt, sky_blue},
                 bands * 1.25F + 0.35F * (chance - 0.6F));
  }
  if (v < field_edge(u)) {
    const float rim = smooth_step(0.014F, 0.0F, v - near_ridge(u));
    if (chance < 0.6F * rim) return cadmium;
    return blend({ultramarine, viridian, {0.16F, 0.42F, 0.30F}, olive, orange},
                 bands * 1.3F + 0.3F * (chance - 0.6F));
  }
  if (in_river(u, v)) return river_colour(u, v, chance);
  return field_colour(u, v, chance);
}

float motif_fineness(float u, float v) {
  if (tree_at(u, v) != nullptr) return 1.9F;
  float fine = 1 + 0.8F * std::exp(-(v - 0.62F) * (v - 0.62F) / 0.006F);
  for (const Whirl& whirl : whirls) {  // tight turns need short strokes
    const float r = std::hypot(u - whirl.u, v - whirl.v) / whirl.radius;
    fine += 1.3F * std::exp(-r * r / 0.12F);
  }
  return in_river(u, v) ? fine * 1.25F : fine;
}

}  // namespace gramflow::drawing
