#pragma once
// The inner steps of a Winograd F(4x4,3x3) convolution on one block of tiles, for whatever instruction set
// runs. All but winograd_transform_weights() are single-threaded. A tile is 4x4 pixels of the result, made
// from 6x6 of the source; in the transformed domain it is 36 numbers a channel, and the convolution is 36
// independent matrix products.
#include <cstddef>
#include <cstdint>

#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

inline constexpr std::size_t winograd_positions = 36;
inline constexpr std::size_t winograd_panel = 64;  ///< columns of one packed panel of transformed weights

/// Columns of the panel that starts at `channel`: what is left, padded to 16, at most a whole panel.
inline std::size_t panel_width(std::size_t channels, std::size_t channel) {
  const std::size_t left = (channels - channel + 15) / 16 * 16;
  return left < winograd_panel ? left : winograd_panel;
}
inline std::size_t padded_channels(std::size_t channels) { return (channels + 15) / 16 * 16; }

/// A stride of at least `floats`, a multiple of a cache line that is odd in cache lines, so that rows do not
/// all fall into the same few sets of a cache.
inline std::size_t spread_stride(std::size_t floats) { return ((floats + 15) / 16 | 1) * 16; }

/// Tiles [begin, end) in row order of a picture of `shape`.
struct TileRange {
  Shape shape;
  std::int64_t begin, end;
  std::int64_t columns() const { return (shape.width + 3) / 4; }
};
inline std::int64_t tile_count(Shape shape) { return (shape.height + 3) / 4 * ((shape.width + 3) / 4); }

/// Transformed values of a block: 36 matrices of tiles x channels.
struct TransformedBlock {
  float* values;
  std::size_t tile_stride;      ///< floats from tile to tile
  std::size_t position_stride;  ///< floats from one of the 36 matrices to the next
};

/// Where the 6x6 windows come from: a picture with a border, or (pooled not null) a gradient that came
/// through a pooling.
struct TileSource {
  const float* picture;
  const float* pooled;
  const std::uint8_t* index;
  Border border;
  const float* zeros;  ///< as many as channels
};
void winograd_transform_source(const TileSource& source, const TileRange& tiles, const TransformedBlock& to);

/// products = transformed * weights for one panel of `width` columns; `panel` is 36 matrices of depth x
/// width.
void winograd_multiply(const TransformedBlock& transformed, const float* panel, std::size_t tiles,
                       std::size_t depth, std::size_t width, const TransformedBlock& products);

/// Channels [first, first + count) of a block's results, whose products start at column 0 of `products`.
struct ChannelRange {
  std::size_t first, count;
};
void winograd_finish_forward(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                             const float* bias, const ConvolutionOutputs& outputs);
void winograd_finish_backward(const TransformedBlock& products, const TileRange& tiles, ChannelRange channels,
                              const ConvolutionGradient& gradient);

/// A 3x3 filter's weights as nine matrices (tap 3 * y + x) of in x out channels, both padded to 16 with
/// zeros.
struct FilterTaps {
  const float* values;
  std::size_t in, out;
};
std::size_t tap_floats(std::size_t in, std::size_t out);
/// From OIHW; `to` holds tap_floats().
void arrange_taps(const Filter& filter, float* to);

/// Transforms taps for winograd_multiply: panels of the channels made, each 36 positions, each groups of as
/// many columns as the product works on at a time, each channels read x group. With `backward` for the data
/// gradient: flipped, and the channels' roles swapped. `to` holds transformed_floats(). A parallel loop.
std::size_t transformed_floats(const Filter& filter, bool backward);
void winograd_transform_weights(const FilterTaps& taps, bool backward, float* to);

}  // namespace gramflow::cpu
