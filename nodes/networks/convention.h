#pragma once
// How a network wants its input: the way between pictures and network inputs.
#include <array>

#include "framework/ops/channel_affine.h"

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

/// Picture -> network input, and back. Neither clamps.
ChannelMap network_from_picture(const InputConvention& convention);
ChannelMap picture_from_network(const InputConvention& convention);

/// The smallest and largest network input value that a picture of [0, 1] can give, per channel in network
/// order: for clamping a canvas.
struct InputRange {
  std::array<float, 3> low;
  std::array<float, 3> high;
};
InputRange input_range(const InputConvention& convention);

}  // namespace gramflow
