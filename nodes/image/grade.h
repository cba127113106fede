#pragma once
// Grading: exposure, contrast, saturation, gamma, the four knobs that every picture program has.
#include <span>

namespace gramflow {

struct Grading {
  double exposure = 0;    ///< stops: light is multiplied by 2^exposure
  double contrast = 1;    ///< slope around middle grey (0.5)
  double saturation = 1;  ///< 0: grey
  double gamma = 1;       ///< above 1: brighter middle tones
};

/// `from` and `to` are pixels as in picture.h, as many of both; they may be the same memory. In this order,
/// on each pixel v: exposure on linear light; v = luma + saturation * (v - luma) with Rec. 709's luma of the
/// encoded values; v = 0.5 + contrast * (v - 0.5); clamp to [0, 1]; v = v^(1/gamma). What does nothing is
/// left out: the default grading gives the same bits.
void grade(std::span<const float> from, std::span<float> to, const Grading& grading);

}  // namespace gramflow
