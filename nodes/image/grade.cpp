#include "nodes/image/grade.h"

#include <algorithm>
#include <cmath>

#include "framework/base/parallel.h"
#include "nodes/image/transfer.h"

namespace gramflow {
namespace {

/// The sRGB curve, going on above 1: what exposure makes brighter than white may be brought back by contrast.
float encoded(float light) {
  return light <= 1 ? srgb_from_linear(light) : 1.055F * std::pow(light, 1 / 2.4F) - 0.055F;
}

void grade_pixel(const float* in, float* out, const Grading& grading, float gain) {
  float v[3] = {in[0], in[1], in[2]};
  if (grading.exposure != 0)
    for (float& c : v) c = encoded(linear_from_srgb(c) * gain);
  if (grading.saturation != 1) {
    const float luma = 0.2126F * v[0] + 0.7152F * v[1] + 0.0722F * v[2];
    for (float& c : v) c = luma + static_cast<float>(grading.saturation) * (c - luma);
  }
  if (grading.contrast != 1)
    for (float& c : v) c = 0.5F + static_cast<float>(grading.contrast) * (c - 0.5F);
  for (float& c : v) c = std::clamp(c, 0.0F, 1.0F);
  if (grading.gamma != 1)
    for (float& c : v) c = std::pow(c, static_cast<float>(1 / grading.gamma));
  std::copy_n(v, 3, out);
}

}  // namespace

void grade(std::span<const float> from, std::span<float> to, const Grading& grading) {
  const auto gain = static_cast<float>(std::exp2(grading.exposure));
  constexpr std::size_t block = std::size_t{3} << 12;
  const std::size_t blocks = (from.size() + block - 1) / block;
  parallel_for(static_cast<std::int64_t>(blocks), [&](std::int64_t index, int) {
    const std::size_t begin = static_cast<std::size_t>(index) * block;
    for (std::size_t i = begin; i < std::min(begin + block, from.size()); i += 3)
      grade_pixel(from.data() + i, to.data() + i, grading, gain);
  });
}

}  // namespace gramflow
