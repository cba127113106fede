#pragma once
// Single-threaded inner steps of a 3x3 convolution that reads only a few channels, such as the first of every
// network.
#include <cstddef>
#include <cstdint>

namespace gramflow::cpu {

inline constexpr std::size_t narrow_channels = 4;  ///< most input channels these kernels take

/// One row of the result: `pixels` x made (row stride made, a multiple of nothing in particular).
/// `input` points at the pixel above and left of the first one, in a padded picture whose rows are
/// input_row_step floats apart. `weights` are 9 * channels rows of padded_made (a multiple of 16) floats.
/// `work` holds narrow_work floats.
struct NarrowRow {
  const float* input;
  std::size_t input_row_step, channels;
  const float* weights;
  const float* bias;
  std::size_t made, padded_made;
  std::size_t pixels;
  bool relu;
  bool streamed;  ///< write past the caches; made is a multiple of 16, output of 64 bytes
  float* output;
  std::uint8_t* mask;  ///< may be null
};
void narrow_forward_row(const NarrowRow& row, float* work);
inline constexpr std::size_t narrow_run = 36;  ///< pixels done at a time; a multiple of the products' rows
inline std::size_t narrow_work(std::size_t padded_made) { return narrow_run * padded_made; }

/// What each pixel of a gradient row (pixels x depth) gives to its nine neighbours: pixels x padded_taps,
/// tap-major (tap * channels + channel). `weights` are depth rows of padded_taps (a multiple of 16) floats.
void narrow_spread_row(const float* gradient, std::size_t pixels, std::size_t depth, const float* weights,
                       std::size_t padded_taps, float* spread);

/// One row of the data gradient from the spread rows above, at and below it (null: outside). `out` has room
/// for narrow_channels floats behind its last pixel, and so have the spread rows.
void narrow_collect_row(const float* const (&spread)[3], std::size_t pixels, std::size_t channels,
                        std::size_t padded_taps, float* out);

}  // namespace gramflow::cpu
