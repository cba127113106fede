#include "framework/devices/cpu/channel_affine.h"

#include "framework/devices/cpu/blocks.h"

namespace gramflow::cpu {

void channel_affine(const std::array<int, 3>& source, const std::array<float, 3>& factor,
                    const std::array<float, 3>& offset, std::span<const float> from, std::span<float> to,
                    bool accumulate) {
  const auto pixels = static_cast<std::int64_t>(from.size() / 3);
  for_vector_blocks(pixels, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const float* in = from.data() + 3 * p;
      float* out = to.data() + 3 * p;
      const std::array<float, 3> x = {in[source[0]], in[source[1]],
                                      in[source[2]]};  // read first: `out` may be `in`
      for (std::size_t c = 0; c < 3; ++c) {
        const float y = x[c] * factor[c] + offset[c];
        out[c] = accumulate ? out[c] + y : y;
      }
    }
  });
}

}  // namespace gramflow::cpu
