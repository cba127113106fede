#pragma once
// Convolution by oneDNN, any odd kernel, padding and border: the reference, and the way for shapes Winograd
// cannot do.
#include <memory>

#include "framework/devices/cpu/convolution/packed_filter.h"

namespace gramflow::cpu {

std::shared_ptr<const PackedFilter> pack_direct(const Filter& filter, bool backward);
std::size_t direct_packed_bytes(const Filter& filter, bool backward);
std::size_t direct_scratch(const Filter& filter, Shape input);

}  // namespace gramflow::cpu
