#include "nodes/image/decode/code_points.h"

namespace gramflow::decode {
namespace {

const double* xy_of(int primaries) {
  static constexpr double pal[8] = {0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06};
  static constexpr double ntsc[8] = {0.3127, 0.3290, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07};
  static constexpr double bt2020[8] = {0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046};
  static constexpr double dci_p3[8] = {0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060};
  static constexpr double display_p3[8] = {0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060};
  switch (primaries) {
    case 5:
      return pal;
    case 6:
    case 7:
      return ntsc;
    case 9:
      return bt2020;
    case 11:
      return dci_p3;
    case 12:
      return display_p3;
    default:
      return nullptr;  // 1: BT.709, which are sRGB's; 2: unspecified
  }
}

}  // namespace

void take_code_points(Header& header, int primaries, int transfer, const std::string& format) {
  if (transfer == 16 || transfer == 18)
    throw NotRead("a " + format + " of high dynamic range (" + (transfer == 16 ? "PQ" : "HLG") + ")",
                  "save it as an ordinary picture (SDR) first");
  Primaries found;
  const double* xy = xy_of(primaries);
  if (xy != nullptr)
    for (int i = 0; i < 8; ++i) found.xy[i] = xy[i];
  // 1, 6, 14 and 15 are BT.709's camera curve; cameras that write it mean pictures for sRGB screens.
  found.gamma = transfer == 4 ? 2.2 : transfer == 5 ? 2.8 : transfer == 8 ? 1 : 0;
  if (xy == nullptr && found.gamma == 0) return;
  header.has_primaries = true;
  header.primaries = found;
}

}  // namespace gramflow::decode
