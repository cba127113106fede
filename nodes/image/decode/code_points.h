#pragma once
// The code points of ITU-T H.273 (ISO/IEC 23091-2), by which PNG, HEIC, AVIF and JPEG XL name colours in two
// numbers.
#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

/// Puts what the numbers mean into the header: nothing for sRGB and "unspecified". Throws NotRead for the
/// curves of high dynamic range (PQ, HLG), which no [0, 1] picture holds; `format` is named in it.
void take_code_points(Header& header, int primaries, int transfer, const std::string& format);

}  // namespace gramflow::decode
