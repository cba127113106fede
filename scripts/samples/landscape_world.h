#pragma once
// The land of the landscape: height maps from noise, and the forest on them. Metres throughout: x to the
// right, y up, z away from the camera; the lake lies at y = 0. Immutable once built, so rays may be cast from
// any thread.
#include <cstdint>
#include <vector>

#include "scripts/samples/drawing.h"

namespace gramflow::drawing {

inline constexpr float highest_land = 3300;

/// Towards the sun.
inline const Vec sun_direction = normalised({-0.78F, 0.40F, -0.30F});

/// Heights on a grid, looked up between its points.
struct HeightMap {
  float x0;
  float z0;
  float cell;
  int columns;
  int rows;
  std::vector<float> heights;

  HeightMap(float left, float near, float size, int nx, int nz);
  float& at(int i, int j) {
    return heights[static_cast<std::size_t>(j) * static_cast<std::size_t>(columns) +
                   static_cast<std::size_t>(i)];
  }
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

/// A wide map of the mountains and a fine one of the far shore, which carries every tree as a cone.
struct World {
  HeightMap far{-7200, 200, 7, 2060, 1700};
  HeightMap near{-1150, 550, 0.6F, 3830, 3000};
  std::vector<std::uint8_t> tree_kind;  // on the near map: 0 ground, otherwise a tree and its shade

  World();

  std::uint8_t& kind(int i, int j) {
    return tree_kind[static_cast<std::size_t>(j) * static_cast<std::size_t>(near.columns) +
                     static_cast<std::size_t>(i)];
  }
  std::uint8_t kind_at(float x, float z) const {
    const int i = static_cast<int>((x - near.x0) / near.cell + 0.5F);
    const int j = static_cast<int>((z - near.z0) / near.cell + 0.5F);
    return tree_kind[static_cast<std::size_t>(j) * static_cast<std::size_t>(near.columns) +
                     static_cast<std::size_t>(i)];
  }

  float height(float x, float z) const { return near.covers(x, z) ? near.height(x, z) : far.height(x, z); }
  Vec normal(float x, float z, float step) const;
  /// Distance to the ground along a ray, or -1.
  float hit(Vec from, Vec along, float start) const;
  /// 0 in shadow, 1 in the sun, with a soft edge.
  float sunlit(Vec p, float start) const;

 private:
  void plant();
};

}  // namespace gramflow::drawing
