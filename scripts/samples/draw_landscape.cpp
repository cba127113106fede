// A landscape by ray marching: for every pixel a few rays go out from the camera over the land
// (landscape_world.h) and bring back light (landscape_light.h); the near trees and the bank are drawn on top
// (landscape_foreground.h). At the end, as in a camera: exposure, a film-like curve, a vignette, a little
// grain.
#include <array>

#include "framework/base/parallel.h"
#include "nodes/image/transfer.h"
#include "scripts/samples/drawing.h"
#include "scripts/samples/landscape_foreground.h"
#include "scripts/samples/landscape_light.h"
#include "scripts/samples/landscape_world.h"

namespace gramflow {
namespace {

using namespace drawing;

constexpr Vec camera = {0, 5.5F, 0};
constexpr float horizon_shift = 0.095F;  // the camera looks up by this much
constexpr float half_width = 0.53F;      // tangent of half the field of view

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
        const float py = (1 - (static_cast<float>(y) + v) / static_cast<float>(height) * 2) * half_width *
                         static_cast<float>(height) / static_cast<float>(width);
        const Vec light =
            trace(world, camera, normalised({px, py + horizon_shift, 1}), random_at(x, y, 990 + k));
        sum = sum + Vec{std::min(light.x, 3.0F), std::min(light.y, 3.0F), std::min(light.z, 3.0F)};
      }
      canvas.at(x, y) = sum * (1.0F / (rays * rays));
    }
  });

  const auto w = static_cast<float>(width);
  const auto h = static_cast<float>(height);
  draw_foreground(canvas);

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
        picture.pixel(x, y)[c] =
            std::clamp(srgb_from_linear(film(channels[c])) + speck + grain.bell() * 0.004F, 0.0F, 1.0F);
    }
  return picture;
}

}  // namespace gramflow
