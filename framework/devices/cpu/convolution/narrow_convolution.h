#pragma once
// 3x3 convolution with padding 1 of a picture with at most narrow_channels channels, any border.
#include <memory>

#include "framework/devices/cpu/convolution/packed_filter.h"

namespace gramflow::cpu {

bool narrow_can(const Filter& filter);
std::shared_ptr<const PackedFilter> pack_narrow(const Filter& filter, bool backward);
std::size_t narrow_packed_bytes(const Filter& filter, bool backward);
std::size_t narrow_scratch(const Filter& filter, Shape input);

}  // namespace gramflow::cpu
