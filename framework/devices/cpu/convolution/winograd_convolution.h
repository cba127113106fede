#pragma once
// 3x3 convolution with padding 1 by Winograd F(4x4,3x3), any border and size.
#include <memory>

#include "framework/devices/cpu/convolution/packed_filter.h"

namespace gramflow::cpu {

std::shared_ptr<const PackedFilter> pack_winograd(const Filter& filter, bool backward);
std::size_t winograd_packed_bytes(const Filter& filter, bool backward);
std::size_t winograd_scratch(const Filter& filter, Shape input);

}  // namespace gramflow::cpu
