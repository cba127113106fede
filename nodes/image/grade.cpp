#include "nodes/image/grade.h"

#include <algorithm>
#include <cmath>

#include "framework/base/parallel.h"
#include "nodes/image/transfer.h"

namespace gramflow {
namespace {

// What lies outside of 0 to 1 goes on along the same curves, mirrored below 0: a later step may bring it
// back.
float mirrored(float value, float (*curve)(float)) { return value < 0 ? -curve(-value) : curve(value); }
float encoded(float light) {
  return light <= 1 ? srgb_from_linear(light) : 1.055F * std::pow(light, 1 / 2.4F) - 0.055F;
}
float decoded(float value) {
  return value <= 1 ? linear_from_srgb(value) : std::pow((value + 0.055F) / 1.055F, 2.4F);
}

void grade_pixel(const float* in, float* out, const Grading& grading, float gain) {
  float v[3] = {in[0], in[1], in[2]};
  if (grading.exposure != 0)
    for (float& c : v) c = mirrored(mirrored(c, decoded) * gain, encoded);
  if (grading.saturation != 1) {
    const float luma = 0.2126F * v[0] + 0.7152F * v[1] + 0.0722F * v[2];
    for (float& c : v) c = luma + static_cast<float>(grading.saturation) * (c - luma);
  }
  if (grading.contrast != 1)
    for (float& c : v) c = 0.5F + static_cast<float>(grading.contrast) * (c - 0.5F);
  if (grading.gamma != 1)
    for (float& c : v) c = std::copysign(std::pow(std::abs(c), static_cast<float>(1 / grading.gamma)), c);
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
