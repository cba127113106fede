#pragma once
// A factor and an offset for each of three channels, and their order.
#include <array>
#include <span>

namespace gramflow::cpu {

/// to[c] (+)= from[source[c]] * factor[c] + offset[c] for each pixel. The spans have equal lengths, a
/// multiple of 3, and may be the same memory (then without accumulate).
void channel_affine(const std::array<int, 3>& source, const std::array<float, 3>& factor,
                    const std::array<float, 3>& offset, std::span<const float> from, std::span<float> to,
                    bool accumulate);

}  // namespace gramflow::cpu
