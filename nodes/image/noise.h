#pragma once
// Seeded noise to start from.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "nodes/image/picture.h"

namespace gramflow {

enum class NoiseKind {
  uniform,  ///< even over mean +- deviation * sqrt(3)
  bell,     ///< close to normal: the sum of eight uniforms, tails up to 4.9 deviations
};

/// Mean and standard deviation of each channel.
struct ColorStatistics {
  std::array<float, 3> mean{}, deviation{};
};

struct NoiseOptions {
  std::uint64_t seed = 0;
  NoiseKind kind = NoiseKind::uniform;
  float mean = 0.5F;
  float deviation =
      0.28867513F;  ///< standard deviation; with mean 0.5 and `uniform`, this default fills [0, 1] evenly
  /// By channel, instead of the two above.
  std::optional<ColorStatistics> colors;
};

/// Of all pixels of a picture, in double.
ColorStatistics color_statistics(std::span<const float> rgb);

/// Fills a picture with independent noise, clamped to [0, 1]. A value depends only on the seed, its x, y and
/// channel: the same bits on every machine and for any thread count, and a larger picture contains the
/// smaller one. Allocates nothing. Starts a parallel_for, so it must not be called from the body of one.
void noise(std::span<float> rgb, PictureSize size, const NoiseOptions& options);
Picture noise(int width, int height, const NoiseOptions& options);

}  // namespace gramflow
