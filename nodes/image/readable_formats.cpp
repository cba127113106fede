#include "nodes/image/readable_formats.h"

#include <algorithm>
#include <cctype>

#include "framework/base/text.h"

namespace gramflow {
namespace {

using std::string_view_literals::operator""sv;

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

bool is_png(std::string_view s) { return s.starts_with("\x89PNG"sv); }
bool is_jpeg(std::string_view s) { return s.starts_with("\xFF\xD8\xFF"sv); }
bool is_tiff(std::string_view s) {
  return s.starts_with("II*\0"sv) || s.starts_with("MM\0*"sv) || s.starts_with("II+\0"sv) ||
         s.starts_with("MM\0+"sv);
}
bool is_exr(std::string_view s) { return s.starts_with("\x76\x2F\x31\x01"sv); }
bool is_webp(std::string_view s) {
  return s.starts_with("RIFF"sv) && s.size() >= 12 && s.substr(8, 4) == "WEBP";
}
bool is_gif(std::string_view s) { return s.starts_with("GIF8"sv); }
bool is_bmp(std::string_view s) { return s.starts_with("BM"sv); }
bool is_pnm(std::string_view s) {
  return s.size() > 2 && s[0] == 'P' && "1234567fF"sv.find(s[1]) != std::string_view::npos && is_blank(s[2]);
}

/// HEIC, AVIF and their like: ISO base media files name their brands in a box at the beginning.
bool has_brand(std::string_view s, std::initializer_list<std::string_view> brands) {
  if (s.size() < 12 || s.substr(4, 4) != "ftyp") return false;
  const auto digit = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(s[i]));
  };
  const std::size_t end = std::min(s.size(), digit(0) << 24 | digit(1) << 16 | digit(2) << 8 | digit(3));
  for (std::size_t at = 8; at + 4 <= std::max<std::size_t>(end, 12); at += 4)
    if (at != 12 && std::find(brands.begin(), brands.end(), s.substr(at, 4)) != brands.end())
      return true;  // 12: a version
  return false;
}

bool is_avif(std::string_view s) { return has_brand(s, {"avif", "avis"}); }
bool is_heic(std::string_view s) {  // or another codec in the same container, which libheif will name
  return !is_avif(s) && has_brand(s, {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"});
}
bool is_jxl(std::string_view s) { return s.starts_with("\0\0\0\x0CJXL "sv) || s.starts_with("\xFF\x0A"sv); }
bool is_jpeg2000(std::string_view s) {
  return s.starts_with("\0\0\0\x0CjP  \r\n\x87\n"sv) || s.starts_with("\xFF\x4F\xFF\x51"sv);
}
bool is_psd(std::string_view s) { return s.starts_with("8BPS"sv); }
bool is_dpx(std::string_view s) { return s.starts_with("SDPX"sv) || s.starts_with("XPDS"sv); }
bool is_hdr(std::string_view s) { return s.starts_with("#?RADIANCE"sv) || s.starts_with("#?RGBE"sv); }
bool is_raw(std::string_view s) {  // those that are no TIFF; the others are found there
  return s.starts_with("FUJIFILMCCD-RAW"sv) || s.starts_with("IIRO"sv) || s.starts_with("IIRS"sv) ||
         s.starts_with("MMOR"sv) || s.starts_with("IIU\0"sv) || s.starts_with("FOVb"sv) ||
         s.starts_with("\0MRM"sv) || has_brand(s, {"crx "});
}
/// TGA has no mark at its beginning: every byte of its header must make sense.
bool is_tga(std::string_view s) {
  if (s.size() < 18) return false;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(s[i])); };
  const unsigned map = byte(1), type = byte(2), bits = byte(16);
  const bool known_type = type == 1 || type == 2 || type == 3 || type == 9 || type == 10 || type == 11;
  const bool indexed = type == 1 || type == 9;
  const bool known_bits =
      indexed ? bits == 8 || bits == 16 : bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32;
  const bool no_map = byte(3) == 0 && byte(4) == 0 && byte(5) == 0 && byte(6) == 0;
  return map <= 1 && known_type && known_bits && indexed == (map == 1) && (map == 1 || no_map) &&
         (byte(17) & 0xC0U) == 0 && byte(12) + byte(13) > 0 && byte(14) + byte(15) > 0;
}

const std::string to_png = "convert it to PNG, for example with ImageMagick: convert FILE picture.png";

/// Pictures of formats that are not read, and files that people take for pictures.
OtherFile known_other(std::string_view s) {
  const auto picture = [](const std::string& what, std::string advice) {
    return OtherFile{"this is " + what + ", which is not read", true, std::move(advice)};
  };
  if (s.starts_with("DDS "sv)) return picture("a DirectDraw surface (DDS)", to_png);
  if (s.starts_with("\0\0\1\0"sv) && s.size() > 6 && s[4] != 0)
    return picture("a Windows icon (ICO)", to_png);
  if (s.starts_with("\0\0\2\0"sv) && s.size() > 20 && s[4] != 0 && s[5] == 0 && s[9] == 0 && s[6] != 0)
    return picture("a Windows cursor (CUR)", to_png);
  if (s.size() > 3 && s[0] == '\x0A' && s[1] >= 0 && s[1] <= 5 && s[2] == 1 &&
      (s[3] == 1 || s[3] == 2 || s[3] == 4 || s[3] == 8))
    return picture("a PCX picture", to_png);
  if (s.starts_with("\x01\xDA"sv)) return picture("an SGI picture", to_png);
  if (s.starts_with("\x59\xA6\x6A\x95"sv)) return picture("a Sun raster picture", to_png);
  if (s.starts_with("gimp xcf"sv)) return picture("a GIMP file (XCF)", "export it as PNG");
  if (s.starts_with("FORM"sv) && s.size() >= 12 && (s.substr(8, 4) == "ILBM" || s.substr(8, 4) == "PBM "))
    return picture("an Amiga picture (ILBM)", to_png);
  if (s.starts_with("SIMPLE  ="sv)) return picture("a FITS picture", to_png);
  if (s.starts_with("farbfeld"sv)) return picture("a farbfeld picture", to_png);
  if (s.starts_with("qoif"sv)) return picture("a QOI picture", to_png);
  if (s.starts_with("/* XPM */"sv)) return picture("an XPM picture", to_png);
  if (s.starts_with("#define "sv) && s.find("_width ") != std::string_view::npos)
    return picture("an X bitmap (XBM)", to_png);
  if (s.starts_with("%!PS"sv) || s.starts_with("\xC5\xD0\xD3\xC6"sv))
    return picture("a PostScript drawing", to_png);
  if (s.starts_with("\xD7\xCD\xC6\x9A"sv)) return picture("a Windows metafile (WMF)", to_png);
  if (s.starts_with("II\xBC\x01"sv)) return picture("a JPEG XR picture", to_png);
  if (s.starts_with("%PDF"sv))
    return {"this is a PDF document", false, "export its page as PNG: pdftoppm -png FILE page"};
  if (s.starts_with("version https://git-lfs"sv))
    return {"this is a Git LFS pointer, not the picture itself", false, "git lfs pull fetches it"};
  if (s.starts_with("PK\3\4"sv))
    return {"this is a ZIP archive, not a picture", false, "unpack it and name a picture inside"};
  if (has_brand(s, {"isom", "iso2", "mp41", "mp42", "qt  ", "M4V "}) || s.starts_with("\x1A\x45\xDF\xA3"sv))
    return {"this is a film, not a picture", false,
            "save one of its frames as PNG: ffmpeg -i FILE -frames:v 1 picture.png"};
  return {};
}

bool is_svg(std::string_view s) {
  const std::size_t at = s.find("<svg");
  return at != std::string_view::npos && s.find("<html") == std::string_view::npos;
}

}  // namespace

const std::vector<ReadableFormat>& readable_formats() {
  static const std::vector<ReadableFormat> formats = {
      {"png", "PNG", is_png},         {"jpeg", "JPEG", is_jpeg},  {"tiff", "TIFF", is_tiff},
      {"openexr", "OpenEXR", is_exr}, {"webp", "WebP", is_webp},  {"avif", "AVIF", is_avif},
      {"heic", "HEIC", is_heic},      {"jxl", "JPEG XL", is_jxl}, {"jpeg2000", "JPEG 2000", is_jpeg2000},
      {"bmp", "BMP", is_bmp},         {"gif", "GIF", is_gif},     {"pnm", "PNM", is_pnm},
      {"psd", "PSD", is_psd},         {"dpx", "DPX", is_dpx},     {"hdr", "Radiance HDR", is_hdr},
      {"raw", "camera raw", is_raw},  {"targa", "TGA", is_tga},
  };
  return formats;
}

const ReadableFormat* format_beginning_with(std::string_view first_bytes) {
  for (const ReadableFormat& format : readable_formats())
    if (format.begins(first_bytes)) return &format;
  return nullptr;
}

OtherFile describe_other_file(std::string_view s) {
  const std::string open = "open it in a picture program and save it as PNG or JPEG";
  OtherFile known = known_other(s);
  if (!known.what.empty()) return known;
  const auto first = std::find_if(s.begin(), s.end(), [](char c) { return !is_blank(c); });
  const std::string_view mark = "\xEF\xBB\xBF";
  const bool marked = s.starts_with(mark) && s.size() > 3 && s[3] == '<';
  if ((first != s.end() && *first == '<') || marked) {
    if (is_svg(s))
      return {"this is an SVG drawing, which is not read", true,
              "convert it to PNG: rsvg-convert FILE -o picture.png"};
    return {"this is a web page or XML text, not a picture (perhaps a download that failed)", false, open};
  }
  const bool text = std::all_of(s.begin(), s.end(),
                                [](char c) { return static_cast<unsigned char>(c) >= 0x20 || is_blank(c); });
  return {text ? "this is a text file, not a picture" : "this is not a picture of a known format", false,
          open};
}

std::string readable_titles() {
  std::vector<std::string> titles;
  for (const ReadableFormat& format : readable_formats()) titles.push_back(format.title);
  return join_words(titles, "or");
}

}  // namespace gramflow
