// Counter-based noise: value = f(seed, x, y, channel), with f = Philox4x32-10 (Salmon et al., "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011). No state means any order and any number of threads give the
// same picture. Everything up to the last multiplication is whole numbers, so no mathematics library can
// change a bit: the uniform kind takes 24 bits as a fraction, the bell kind adds eight 16-bit numbers.
#include "nodes/image/noise.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "framework/base/parallel.h"

namespace gramflow {
namespace {

using Block = std::array<std::uint32_t, 4>;

Block philox(Block counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(a)};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

// Both kinds: mean 0, standard deviation 1.
float standard(NoiseKind kind, const Block& bits) {
  constexpr double root3 = 1.7320508075688772;
  if (kind == NoiseKind::uniform) {
    const double fraction = (static_cast<double>(bits[0] >> 8) + 0.5) * 0x1p-24;
    return static_cast<float>((2 * fraction - 1) * root3);
  }
  std::uint32_t sum = 0;
  for (std::uint32_t word : bits) sum += (word & 0xFFFFU) + (word >> 16);
  constexpr double deviation_of_sum = 0.81649658092772603;  // sqrt(8 / 12)
  return static_cast<float>(((static_cast<double>(sum) + 4) * 0x1p-16 - 4) / deviation_of_sum);
}

}  // namespace

void noise(std::span<float> rgb, PictureSize size, const NoiseOptions& options) {
  assert(rgb.size() == size.floats());
  const auto key0 = static_cast<std::uint32_t>(options.seed);
  const auto key1 = static_cast<std::uint32_t>(options.seed >> 32);
  parallel_for(size.height, [&](std::int64_t y, int) {
    float* row = rgb.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) * 3;
    for (int x = 0; x < size.width; ++x)
      for (std::uint32_t channel = 0; channel < 3; ++channel) {
        const Block bits =
            philox({static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), channel, 0}, key0, key1);
        const float mean = options.colors ? options.colors->mean[channel] : options.mean;
        const float deviation = options.colors ? options.colors->deviation[channel] : options.deviation;
        const float value = mean + deviation * standard(options.kind, bits);
        *row++ = std::clamp(value, 0.0F, 1.0F);
      }
  });
}

ColorStatistics color_statistics(std::span<const float> rgb) {
  std::array<double, 3> sum{}, squares{};
  for (std::size_t i = 0; i < rgb.size(); ++i) {
    const auto value = static_cast<double>(rgb[i]);
    sum[i % 3] += value;
    squares[i % 3] += value * value;
  }
  ColorStatistics result;
  const double pixels = static_cast<double>(rgb.size()) / 3;
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = sum[c] / pixels;
    result.mean[c] = static_cast<float>(mean);
    result.deviation[c] = static_cast<float>(std::sqrt(std::max(0.0, squares[c] / pixels - mean * mean)));
  }
  return result;
}

Picture noise(int width, int height, const NoiseOptions& options) {
  Picture picture(PictureSize{width, height});
  noise(picture.rgb, picture.size(), options);
  return picture;
}

}  // namespace gramflow
