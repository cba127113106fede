#pragma once
// How a network wants its input: the way between pictures and network inputs.
#include <array>
#include <span>

#include "nodes/image/picture.h"

namespace gramflow {

enum class ChannelOrder { rgb, bgr };

/// network input = ((rgb * scale) - mean) / std, per channel, then put in `order`. `mean` and `std` are
/// listed in RGB order whatever `order` says. torchvision's VGG: {rgb, 1, {0.485, 0.456, 0.406}, {0.229,
/// 0.224, 0.225}}; Caffe's: {bgr, 255, {123.68, 116.779, 103.939}, {1, 1, 1}}. `scale` and every `std` must
/// not be zero (checked where they are written down).
struct InputConvention {
  ChannelOrder order = ChannelOrder::rgb;
  double scale = 1.0;
  std::array<double, 3> mean = {0, 0, 0};
  std::array<double, 3> std = {1, 1, 1};
  bool operator==(const InputConvention&) const = default;
};

/// Picture -> network input, channels last, 3 channels. `from` and `to` have equal lengths, a multiple of 3,
/// and may be the same memory. Allocates nothing; starts a parallel_for.
void preprocess(std::span<const float> from, std::span<float> to, const InputConvention& convention);

/// Network input -> picture: the inverse, clamped to [0, 1]. A NaN becomes 0. Same conditions.
void postprocess(std::span<const float> from, std::span<float> to, const InputConvention& convention);

/// The smallest and largest network input value that a picture of [0, 1] can give, per channel in network
/// order: for clamping a canvas.
struct InputRange {
  std::array<float, 3> low;
  std::array<float, 3> high;
};
InputRange input_range(const InputConvention& convention);

}  // namespace gramflow
