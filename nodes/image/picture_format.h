#pragma once
// Which formats there are, told by a file's first bytes (reading) or by its ending (writing). Internal to
// nodes/image.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow {

/// OpenImageIO's name of the format that begins so, or "" when it is none that is read.
std::string sniff_format(std::string_view first_bytes);

/// For a file that sniff_format() does not know: what it seems to be, as the subject of an error message.
std::string describe_non_picture(std::string_view first_bytes);

/// "PNG, JPEG, ... or PNM"
std::string readable_formats();

/// A format that can be written.
struct WritableFormat {
  std::string name;                  ///< OpenImageIO's
  std::vector<std::string> endings;  ///< lower case, with the dot; the usual one first
  std::vector<int> bits;             ///< the usual one first
  bool floating = false;
  int largest_side = 0;             ///< in pixels
  std::uint64_t largest_bytes = 0;  ///< of all samples together; 0: any
};
const std::vector<WritableFormat>& writable_formats();

/// "" when a picture of this size, three channels of so many bits, fits into the format; otherwise what it
/// takes, as in "JPEG takes at most 65500 pixels a side".
std::string size_limit(const WritableFormat& format, PictureSize size, int bits);

/// By the ending of the path, upper or lower case; nullptr when there is none.
const WritableFormat* writable_format(const std::string& path);

}  // namespace gramflow
