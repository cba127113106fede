#include "nodes/image/picture_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "framework/base/text.h"

namespace gramflow {
const std::vector<WritableFormat>& writable_formats() {
  // What the formats hold, or their libraries write (libpng a million a side; 4 GiB: offsets of 32 bits;
  // OpenEXR counts the bytes of 16 rows in 31 bits).
  constexpr std::uint64_t offsets_of_32_bits = (std::uint64_t{1} << 32) - (std::uint64_t{1} << 24);
  static const std::vector<WritableFormat> formats = {
      {"png", {".png"}, {8, 16}, false, 1000000, 0, true, true},
      {"jpeg", {".jpg", ".jpeg"}, {8}, false, 65500, 0, true, true},
      {"tiff", {".tif", ".tiff"}, {8, 16}, false, 2147483647, offsets_of_32_bits, true, false},
      {"openexr", {".exr"}, {16, 32}, true, 10000000, 0},
      {"webp", {".webp"}, {8}, false, 16383, 0, true, true},
      {"bmp", {".bmp"}, {8}, false, 2147483647, offsets_of_32_bits},
  };
  return formats;
}

std::string size_limit(const WritableFormat& format, PictureSize size, int bits) {
  std::string name = format.endings.back().substr(1);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (std::max(size.width, size.height) > format.largest_side)
    return fmt::format("{} takes at most {} pixels a side", name, format.largest_side);
  const std::uint64_t bytes = size.floats() * static_cast<std::uint64_t>(bits) / 8;
  if (format.largest_bytes != 0 && bytes > format.largest_bytes)
    return fmt::format("{} takes at most {}, this is {}", name, human_bytes(format.largest_bytes),
                       human_bytes(bytes));
  return "";
}

const WritableFormat* writable_format(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& format : writable_formats())
    if (std::find(format.endings.begin(), format.endings.end(), ending) != format.endings.end())
      return &format;
  return nullptr;
}

}  // namespace gramflow
