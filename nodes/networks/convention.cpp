#include "nodes/networks/convention.h"

#include <algorithm>

namespace gramflow {
namespace {

/// Where channel c of RGB lies in the network's order; the way back is the same.
std::size_t place_of(std::size_t c, const InputConvention& convention) {
  return convention.order == ChannelOrder::rgb ? c : 2 - c;
}

}  // namespace

ChannelMap network_from_picture(const InputConvention& convention) {
  ChannelMap map;
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t place = place_of(c, convention);
    map.source[place] = static_cast<int>(c);
    map.factor[place] = static_cast<float>(convention.scale / convention.std[c]);
    map.offset[place] = static_cast<float>(-convention.mean[c] / convention.std[c]);
  }
  return map;
}

ChannelMap picture_from_network(const InputConvention& convention) {
  ChannelMap map;
  for (std::size_t c = 0; c < 3; ++c) {
    map.source[c] = static_cast<int>(place_of(c, convention));
    map.factor[c] = static_cast<float>(convention.std[c] / convention.scale);
    map.offset[c] = static_cast<float>(convention.mean[c] / convention.scale);
  }
  return map;
}

InputRange input_range(const InputConvention& convention) {
  InputRange range{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double black = -convention.mean[c] / convention.std[c];
    const double white = (convention.scale - convention.mean[c]) / convention.std[c];
    const std::size_t place = place_of(c, convention);
    range.low[place] = static_cast<float>(std::min(black, white));
    range.high[place] = static_cast<float>(std::max(black, white));
  }
  return range;
}

}  // namespace gramflow
