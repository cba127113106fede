#pragma once
// The sRGB curve (IEC 61966-2-1): between linear light, which float files hold, and the encoded values
// everything else uses.
#include <algorithm>
#include <cmath>

namespace gramflow {

/// [0, 1] -> [0, 1]; below 0 and NaN give 0, above 1 gives 1.
inline float srgb_from_linear(float light) {
  if (!(light > 0)) return 0;
  if (light >= 1) return 1;
  return light <= 0.0031308F ? 12.92F * light : 1.055F * std::pow(light, 1 / 2.4F) - 0.055F;
}

/// The inverse, with the same treatment of values outside [0, 1].
inline float linear_from_srgb(float value) {
  if (!(value > 0)) return 0;
  if (value >= 1) return 1;
  return value <= 0.04045F ? value / 12.92F : std::pow((value + 0.055F) / 1.055F, 2.4F);
}

}  // namespace gramflow
