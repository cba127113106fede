#pragma once
// Which formats are written, told by the ending. Internal to nodes/image. (Reading: readable_formats.h.)
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow {

/// A format that can be written.
struct WritableFormat {
  std::string name;                  ///< OpenImageIO's
  std::vector<std::string> endings;  ///< lower case, with the dot; the usual one first
  std::vector<int> bits;             ///< the usual one first
  bool floating = false;
  int largest_side = 0;             ///< in pixels
  std::uint64_t largest_bytes = 0;  ///< of all samples together; 0: any
  bool embeds_profile = false;
  bool embeds_exif = false;
};
const std::vector<WritableFormat>& writable_formats();

/// "" when a picture of this size, three channels of so many bits, fits into the format; otherwise what it
/// takes, as in "JPEG takes at most 65500 pixels a side".
std::string size_limit(const WritableFormat& format, PictureSize size, int bits);

/// By the ending of the path, upper or lower case; nullptr when there is none.
const WritableFormat* writable_format(const std::string& path);

}  // namespace gramflow
