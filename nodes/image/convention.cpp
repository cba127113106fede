#include "nodes/image/convention.h"

#include <algorithm>
#include <cassert>

#include "framework/base/parallel.h"

namespace gramflow {
namespace {

// Pixels a block of the parallel loops covers; fixed, so that the cut never depends on the number of threads.
constexpr std::size_t block_pixels = 16384;

struct Affine {  // network = picture * factor + offset; both in RGB order
  std::array<float, 3> factor;
  std::array<float, 3> offset;
  std::array<std::size_t, 3> place;  // where channel c of RGB lies in the network's order
};

Affine forward_of(const InputConvention& convention) {
  Affine affine{};
  for (std::size_t c = 0; c < 3; ++c) {
    affine.factor[c] = static_cast<float>(convention.scale / convention.std[c]);
    affine.offset[c] = static_cast<float>(-convention.mean[c] / convention.std[c]);
    affine.place[c] = convention.order == ChannelOrder::rgb ? c : 2 - c;
  }
  return affine;
}

template <class Body>
void over_pixels(std::size_t floats, Body body) {
  const std::size_t pixels = floats / 3;
  const std::size_t blocks = (pixels + block_pixels - 1) / block_pixels;
  parallel_for(static_cast<std::int64_t>(blocks), [&](std::int64_t block, int) {
    const std::size_t begin = static_cast<std::size_t>(block) * block_pixels;
    for (std::size_t p = begin; p < std::min(pixels, begin + block_pixels); ++p) body(3 * p);
  });
}

float to_unit(float value) {
  return value > 0 ? std::min(value, 1.0F) : 0.0F;
}  // NaN fails the comparison: 0

}  // namespace

void preprocess(std::span<const float> from, std::span<float> to, const InputConvention& convention) {
  assert(from.size() == to.size() && from.size() % 3 == 0);
  const Affine a = forward_of(convention);
  over_pixels(from.size(), [&](std::size_t at) {
    const std::array<float, 3> rgb = {from[at], from[at + 1],
                                      from[at + 2]};  // read first: `to` may be `from`
    for (std::size_t c = 0; c < 3; ++c) to[at + a.place[c]] = rgb[c] * a.factor[c] + a.offset[c];
  });
}

void postprocess(std::span<const float> from, std::span<float> to, const InputConvention& convention) {
  assert(from.size() == to.size() && from.size() % 3 == 0);
  const Affine a = forward_of(convention);
  std::array<float, 3> factor{};
  std::array<float, 3> offset{};
  for (std::size_t c = 0; c < 3; ++c) {
    factor[c] = static_cast<float>(convention.std[c] / convention.scale);
    offset[c] = static_cast<float>(convention.mean[c] / convention.scale);
  }
  over_pixels(from.size(), [&](std::size_t at) {
    const std::array<float, 3> in = {from[at], from[at + 1], from[at + 2]};
    for (std::size_t c = 0; c < 3; ++c) to[at + c] = to_unit(in[a.place[c]] * factor[c] + offset[c]);
  });
}

InputRange input_range(const InputConvention& convention) {
  InputRange range{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double black = -convention.mean[c] / convention.std[c];
    const double white = (convention.scale - convention.mean[c]) / convention.std[c];
    const std::size_t place = convention.order == ChannelOrder::rgb ? c : 2 - c;
    range.low[place] = static_cast<float>(std::min(black, white));
    range.high[place] = static_cast<float>(std::max(black, white));
  }
  return range;
}

}  // namespace gramflow
