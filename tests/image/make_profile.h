#pragma once
// ICC profiles, and what lcms2 makes of colours in them.
#include <string>
#include <vector>

namespace gramflow::test {

struct NamedProfile {
  std::string name;
  int channels;  ///< 1 grey, 3 RGB, 4 CMYK
  std::string icc;
};
/// RGB spaces of all widths and curves, two greys, and a CMYK of a table.
std::vector<NamedProfile> profiles();

/// `pixels` of `channels` each (CMYK: 1 is full ink) as sRGB, perceptually, in lcms2's floats.
std::vector<float> to_srgb(const NamedProfile& profile, const std::vector<float>& pixels);

}  // namespace gramflow::test
