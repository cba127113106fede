// Conifers are whorls of branches, each hung with twigs; the bank is soil under thousands of blades of grass.
// Every twig and blade is one tapered stroke of light, brighter on the side of the sun (left).
#include "scripts/samples/landscape_foreground.h"

namespace gramflow::drawing {
namespace {

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
      const float t = std::clamp(
          ((static_cast<float>(x) - x0) * dx + (static_cast<float>(y) - y0) * dy) / length2, 0.0F, 1.0F);
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
    stroke(canvas, trunk_x(up), foot - up * tall, trunk_x(up + 0.012F), foot - (up + 0.012F) * tall,
           (1 - up) * tall * 0.0125F + 0.5F, {0.020F, 0.014F, 0.010F}, 1);
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
        const Vec colour =
            mix({0.0085F, 0.0155F, 0.0115F}, {0.150F, 0.135F, 0.048F}, lit) * random.between(0.7F, 1.15F);
        stroke(canvas, tx, ty, tx + way * length, ty + length * random.between(0.35F, 0.95F),
               random.between(0.55F, 1.15F) * unit, colour, random.between(0.75F, 1.0F));
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
    const float bank = 0.955F + 0.07F * smooth_step(0.1F, 0.45F, s) - 0.165F * smooth_step(0.50F, 1.02F, s) +
                       0.012F * (fractal_noise(s * 9, 0.5F, 4, 500) - 0.5F);
    return bank * h;
  };
  for (int x = 0; x < canvas.width; ++x)
    for (int y = std::max(0, static_cast<int>(edge(static_cast<float>(x)))); y < canvas.height; ++y) {
      const float deep = (static_cast<float>(y) - edge(static_cast<float>(x))) / (40 * unit);
      const float soil =
          fractal_noise(static_cast<float>(x) / (7 * unit), static_cast<float>(y) / (4 * unit), 4, 510);
      canvas.at(x, y) =
          mix(canvas.at(x, y), Vec{0.040F, 0.034F, 0.018F} * (0.4F + 1.2F * soil), std::min(1.0F, deep * 3));
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
    stroke(
        canvas, x, y, x + lean, y - tall, random.between(0.5F, 1.1F) * unit,
        mix(green, dry, smooth_step(0.40F, 0.62F, fractal_noise(x / (120 * unit), y / (60 * unit), 3, 530))),
        0.9F);
  }
}

}  // namespace

void draw_foreground(Canvas& canvas) {
  const auto w = static_cast<float>(canvas.width);
  const auto h = static_cast<float>(canvas.height);
  near_bank(canvas);
  conifer(canvas, 0.905F * w, 0.93F * h, 0.80F * h, 0.118F * w, 11);
  conifer(canvas, 0.985F * w, 0.95F * h, 0.66F * h, 0.10F * w, 12);
  conifer(canvas, 0.805F * w, 0.905F * h, 0.43F * h, 0.064F * w, 13);
  conifer(canvas, 0.012F * w, 0.985F * h, 0.36F * h, 0.060F * w, 15);
}

}  // namespace gramflow::drawing
