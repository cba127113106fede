#pragma once
// The little that is needed of EXIF: which way is up, who wrote the file, which colours it means. Everything
// else is left as bytes.
#include <string>

#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

struct ExifFacts {
  int orientation = 1;
  bool adobe_rgb = false;  ///< the mark that cameras leave instead of a profile
  std::string software;
  std::string description;
};

/// `exif` from its "II" or "MM" on, with or without "Exif\0\0" before it. What is broken is left out: EXIF
/// never makes a picture unreadable.
ExifFacts read_exif(Bytes exif);

/// Puts the EXIF block into a header, and what it says where the header does not know better.
void take_exif(Header& header, Bytes exif);

}  // namespace gramflow::decode
