#include "nodes/image/picture_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "framework/base/text.h"

namespace gramflow {
namespace {

using std::string_view_literals::operator""sv;

bool is_pnm(std::string_view s) {
  return s.size() > 2 && s[0] == 'P' && "123456fF"sv.find(s[1]) != std::string_view::npos &&
         std::isspace(static_cast<unsigned char>(s[2])) != 0;
}

bool is_iso_media(std::string_view s, std::string_view brand) {  // HEIC, AVIF: ISO base media files
  return s.size() >= 12 && s.substr(4, 4) == "ftyp" && s.substr(8, brand.size()) == brand;
}

}  // namespace

std::string sniff_format(std::string_view s) {
  if (s.starts_with("\x89PNG"sv)) return "png";
  if (s.starts_with("\xFF\xD8\xFF"sv)) return "jpeg";
  if (s.starts_with("II*\0"sv) || s.starts_with("MM\0*"sv) || s.starts_with("II+\0"sv) ||
      s.starts_with("MM\0+"sv))
    return "tiff";
  if (s.starts_with("\x76\x2F\x31\x01"sv)) return "openexr";
  if (s.starts_with("RIFF"sv) && s.size() >= 12 && s.substr(8, 4) == "WEBP") return "webp";
  if (s.starts_with("GIF8"sv)) return "gif";
  if (s.starts_with("BM"sv)) return "bmp";
  if (is_pnm(s)) return "pnm";
  return "";
}

std::string describe_non_picture(std::string_view s) {
  if (s.starts_with("version https://git-lfs"sv))
    return "this is a Git LFS pointer, not the picture itself (git lfs pull fetches it)";
  if (s.starts_with("%PDF"sv)) return "this is a PDF document";
  if (s.starts_with("8BPS"sv)) return "this is a Photoshop file";
  if (is_iso_media(s, "hei") || is_iso_media(s, "mif1")) return "this is a HEIC picture, which is not read";
  if (is_iso_media(s, "avif")) return "this is an AVIF picture, which is not read";
  if (s.starts_with("\0\0\0\x0CjP"sv)) return "this is a JPEG 2000 picture, which is not read";
  if (s.starts_with("\0\0\0\x0CJXL"sv) || s.starts_with("\xFF\x0A"sv))
    return "this is a JPEG XL picture, which is not read";
  const auto first = std::find_if(s.begin(), s.end(),
                                  [](char c) { return std::isspace(static_cast<unsigned char>(c)) == 0; });
  if (first != s.end() && *first == '<')
    return "this is a web page or XML text, not a picture (perhaps a download that failed)";
  const bool text = std::all_of(s.begin(), s.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || std::isspace(static_cast<unsigned char>(c)) != 0;
  });
  return text ? "this is a text file, not a picture" : "this is not a picture of a known format";
}

std::string readable_formats() { return "PNG, JPEG, TIFF, OpenEXR, WebP, BMP, GIF or PNM"; }

const std::vector<WritableFormat>& writable_formats() {
  // What the formats hold, or their libraries write (libpng a million a side; 4 GiB: offsets of 32 bits;
  // OpenEXR counts the bytes of 16 rows in 31 bits).
  constexpr std::uint64_t offsets_of_32_bits = (std::uint64_t{1} << 32) - (std::uint64_t{1} << 24);
  static const std::vector<WritableFormat> formats = {
      {"png", {".png"}, {8, 16}, false, 1000000, 0},
      {"jpeg", {".jpg", ".jpeg"}, {8}, false, 65500, 0},
      {"tiff", {".tif", ".tiff"}, {8, 16}, false, 2147483647, offsets_of_32_bits},
      {"openexr", {".exr"}, {16, 32}, true, 10000000, 0},
      {"webp", {".webp"}, {8}, false, 16383, 0},
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
