// An oil painting by many strokes. A motif (brushwork_motif.h) says for every place which colour it has and
// which way the brush goes there. Strokes are laid from coarse to fine: each starts at a random place, takes
// the motif's colour there with a strong deviation of its own, and follows the flow. A stroke is a bundle of
// bristles; each bristle has its own shade and its own amount of paint, runs dry somewhere before the end,
// and leaves a ridge. The ridges are a height map that a light from the upper left grazes at the end, which
// makes the paint look thick. Drawn at twice the size and averaged down.
#include <array>

#include "nodes/image/resize.h"
#include "scripts/samples/brushwork_motif.h"
#include "scripts/samples/drawing.h"

namespace gramflow {
namespace {

using namespace drawing;

struct Painting {
  Canvas paint;
  std::vector<float> thickness;

  Painting(int width, int height)
      : paint(width, height), thickness(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

  float& thick(int x, int y) {
    return thickness[static_cast<std::size_t>(y) * static_cast<std::size_t>(paint.width) +
                     static_cast<std::size_t>(x)];
  }
  bool inside(int x, int y) const { return x >= 0 && y >= 0 && x < paint.width && y < paint.height; }

  // One touch of one bristle: about a pixel and a half wide.
  void touch(float x, float y, Vec colour, float cover, float height) {
    const int left = static_cast<int>(std::floor(x - 0.5F));
    const int top = static_cast<int>(std::floor(y - 0.5F));
    for (int j = top; j <= top + 1; ++j)
      for (int i = left; i <= left + 1; ++i) {
        if (!inside(i, j)) continue;
        const float near_x = 1 - std::abs(x - 0.5F - static_cast<float>(i));
        const float near_y = 1 - std::abs(y - 0.5F - static_cast<float>(j));
        const float alpha = cover * std::min(1.0F, 1.6F * near_x * near_y);
        paint.at(i, j) = mix(paint.at(i, j), colour, alpha);
        thick(i, j) = mix(thick(i, j), height, alpha);
      }
  }
};

struct Brush {
  float width;      // of the stroke, in heights of the picture
  float length;     // of the stroke, in heights of the picture
  float deviation;  // how far a stroke's colour strays from the motif's
  float body;       // how thick the paint is
};

Vec stray(Vec colour, float amount, Random& random) {
  // Lightness strays most; warm and cool stray against each other, which keeps the colours clean.
  const float light = amount * random.bell();
  const float warm = amount * 0.55F * random.bell();
  const float green = amount * 0.35F * random.bell();
  const Vec strayed = {colour.x + light + warm, colour.y + light + green + 0.25F * warm,
                       colour.z + light - warm};
  return {std::clamp(strayed.x, 0.01F, 1.0F), std::clamp(strayed.y, 0.01F, 1.0F),
          std::clamp(strayed.z, 0.01F, 1.0F)};
}

using Path = std::vector<std::array<float, 2>>;

// From a place along the flow (or against it), one point a pixel. A wrist has inertia: the brush turns only
// gradually.
Path follow(float x, float y, float sense, int pixels, float unit) {
  Path path;
  BrushFlow heading = motif_flow(x / unit, y / unit);
  heading = {heading.x * sense, heading.y * sense};
  for (int i = 0; i < pixels; ++i) {
    path.push_back({x, y});
    BrushFlow next = motif_flow(x / unit, y / unit);
    if (next.x * heading.x + next.y * heading.y < 0) next = {-next.x, -next.y};
    heading = {heading.x * 0.8F + next.x * 0.2F, heading.y * 0.8F + next.y * 0.2F};
    const float size = std::max(1e-6F, std::hypot(heading.x, heading.y));
    heading = {heading.x / size, heading.y / size};
    x += heading.x;
    y += heading.y;
  }
  return path;
}

// The path of a stroke whose middle lies at a place.
Path path_through(float x, float y, float pixels, float unit) {
  const int half = static_cast<int>(pixels / 2);
  const Path back = follow(x, y, -1, half, unit);
  Path path(back.rbegin(), back.rend());
  const Path forth = follow(x, y, 1, half, unit);
  if (!forth.empty()) path.insert(path.end(), forth.begin() + 1, forth.end());
  return path;
}

void stroke(Painting& painting, float x, float y, const Brush& brush, Random& random) {
  const auto unit = static_cast<float>(painting.paint.height);
  const float width = brush.width * unit * random.between(0.65F, 1.25F);
  const float length = brush.length * unit * random.between(0.55F, 1.35F);
  const Vec colour = stray(motif_colour(x / unit, y / unit, random.unit()), brush.deviation, random);
  const Vec second = stray(colour, brush.deviation * 0.8F, random);  // a brush is never quite clean
  const Path path = path_through(x, y, length, unit);
  if (path.size() < 4) return;
  const int bristles = std::max(3, static_cast<int>(width / 1.1F));
  const float swing = random.between(-0.5F, 0.5F);
  for (int b = 0; b < bristles; ++b) {
    const float across = (static_cast<float>(b) + 0.5F) / static_cast<float>(bristles) * 2 - 1;
    const float own = smooth_noise(across * width * 0.16F + 50, random.unit() * 0.6F, 3) - 0.5F;
    const Vec shade =
        mix(colour, second, smooth_step(-0.6F, 0.6F, across * swing * 2 + own * 1.4F)) * (1 + 0.26F * own);
    const float begins = 0.10F * across * across + 0.04F * random.unit();
    const float ends = 1 - 0.16F * across * across - 0.26F * random.unit() * random.unit();
    const float load = random.between(0.72F, 1.0F);
    const float edge = std::abs(across) > 0.82F ? 0.35F : 0.0F;  // paint is pushed to the sides
    const float seed = random.between(0, 900);
    for (std::size_t i = 1; i < path.size(); ++i) {
      const float t = static_cast<float>(i) / static_cast<float>(path.size());
      if (t < begins || t > ends) continue;
      const float dry = smooth_step(0.45F, 1.0F, t / ends) * 0.85F;
      const float streak = smooth_noise(seed, static_cast<float>(i) / 14, 5);
      const float cover = load * std::clamp(1.35F - dry * (0.55F + 1.3F * streak), 0.0F, 1.0F);
      if (cover <= 0.03F) continue;
      const float dx = path[i][0] - path[i - 1][0];
      const float dy = path[i][1] - path[i - 1][1];
      const float bow = 1 - 0.22F * smooth_step(0.6F, 1.0F, t);
      const float away = across * width / 2 * bow;
      const float height = brush.body * (0.55F + 0.9F * own + edge + 0.35F * streak - 0.3F * dry);
      painting.touch(path[i][0] - dy * away, path[i][1] + dx * away, shade, cover, height);
    }
  }
}

// Strokes of one brush over the whole picture, in random order, about `layers` deep.
void cover(Painting& painting, const Brush& brush, float layers, Random& random) {
  const auto w = static_cast<float>(painting.paint.width);
  const auto h = static_cast<float>(painting.paint.height);
  const int strokes = static_cast<int>(layers * (w / h) / (brush.width * brush.length));
  for (int i = 0; i < strokes; ++i) {
    const float x = random.between(-0.02F, 1.02F) * w;
    const float y = random.between(-0.02F, 1.02F) * h;
    // Distant and delicate parts get finer strokes.
    const float fine = motif_fineness(x / h, y / h);
    const int times = static_cast<int>(fine * fine + random.unit());
    for (int k = 0; k < times; ++k) {
      const float aside = 0.5F * brush.length * h * (fine > 1.05F ? 1.0F : 0.0F);
      stroke(painting, x + random.between(-aside, aside), y + random.between(-aside, aside),
             {brush.width / fine, brush.length / fine, brush.deviation, brush.body}, random);
    }
  }
}

// Light from the upper left over the ridges of paint, with a little gloss.
Picture light_up(Painting& painting) {
  Picture picture(PictureSize{painting.paint.width, painting.paint.height});
  const Vec light = normalised({-0.55F, -0.65F, 0.75F});
  const Vec halfway = normalised(light + Vec{0, 0, 1});
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) {
      const int left = std::max(0, x - 1);
      const int up = std::max(0, y - 1);
      const int right = std::min(picture.width - 1, x + 1);
      const int down = std::min(picture.height - 1, y + 1);
      const float weave =
          0.02F * (std::sin(static_cast<float>(x) * 1.05F) - std::sin(static_cast<float>(y) * 1.05F));
      const Vec normal = normalised({(painting.thick(left, y) - painting.thick(right, y)) * 0.62F + weave,
                                     (painting.thick(x, up) - painting.thick(x, down)) * 0.62F + weave, 1});
      const float shade = 0.35F + 0.65F * std::max(0.0F, dot(normal, light)) / light.z;
      const float gloss = std::pow(std::max(0.0F, dot(normal, halfway)), 60.0F) * 0.07F;
      const Vec seen = painting.paint.at(x, y) * shade + Vec{gloss, gloss, gloss};
      picture.pixel(x, y)[0] = std::clamp(seen.x, 0.0F, 1.0F);
      picture.pixel(x, y)[1] = std::clamp(seen.y, 0.0F, 1.0F);
      picture.pixel(x, y)[2] = std::clamp(seen.z, 0.0F, 1.0F);
    }
  return picture;
}

}  // namespace

Picture draw_brushwork(int width, int height) {
  Painting painting(width * 2, height * 2);
  for (int y = 0; y < height * 2; ++y)  // a thin, dark, warm underpainting shows through gaps
    for (int x = 0; x < width * 2; ++x) {
      const auto unit = static_cast<float>(height * 2);
      const Vec motif = motif_colour(static_cast<float>(x) / unit, static_cast<float>(y) / unit, 0.7F);
      painting.paint.at(x, y) = mix(motif * 0.55F, {0.23F, 0.17F, 0.13F}, 0.4F);
    }
  Random random(20);
  cover(painting, {0.050F, 0.19F, 0.045F, 1.6F}, 3.0F, random);
  cover(painting, {0.026F, 0.13F, 0.075F, 2.0F}, 2.2F, random);
  cover(painting, {0.015F, 0.085F, 0.095F, 2.3F}, 1.1F, random);
  cover(painting, {0.009F, 0.050F, 0.11F, 2.5F}, 0.22F, random);
  return resize(light_up(painting), {width, height}, ResizeFilter::box);
}

}  // namespace gramflow
