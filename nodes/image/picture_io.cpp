// From any supported file to sRGB RGB in [0, 1], and back. The steps of reading: tell the format by its first
// bytes; judge the header; stream rows through the decoder; per pixel choose the colour channels, undo
// premultiplied alpha, encode linear light; put the pixel where EXIF orientation wants it; in the end ask the
// decoder whether it made anything up.
#include "nodes/image/picture_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "nodes/image/oiio_bridge.h"
#include "nodes/image/picture_format.h"
#include "nodes/image/transfer.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

std::string absolute_path(const std::string& path) {
  std::error_code ignored;
  const fs::path absolute = fs::absolute(path, ignored).lexically_normal();
  return ignored ? path : absolute.string();
}

[[noreturn]] void report_missing(const std::string& path) {
  const fs::path folder = fs::absolute(path).lexically_normal().parent_path();
  std::error_code ignored;
  std::string hint;
  if (!fs::is_directory(folder, ignored)) {
    hint = fmt::format("the folder {} does not exist either; check the path", folder.string());
  } else {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
      names.push_back(entry.path().filename().string());
    hint = did_you_mean(fs::path(path).filename().string(), names);
    if (hint.empty()) hint = "check the path, or put the picture there";
  }
  throw MissingResource(
      fmt::format("{}: there is no such picture; looked for {}; {}", path, absolute_path(path), hint));
}

// Opens nothing but the first bytes, so that a wrong kind of file gets a message of its own.
std::string format_of_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) report_missing(path);
  if (status.type() == fs::file_type::directory)
    throw MissingResource(
        fmt::format("{}: this is a folder; expected a picture file; name a file inside it", path));
  if (error && status.type() == fs::file_type::none)
    throw MissingResource(
        fmt::format("{}: cannot be looked at ({}); expected a readable picture file", path, error.message()));
  if (status.type() != fs::file_type::regular)
    throw MissingResource(fmt::format("{}: this is not a regular file; expected a picture file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw MissingResource(
        fmt::format("{}: cannot be opened ({}); expected a readable picture file; check its permissions",
                    path, std::strerror(errno)));
  }
  std::array<char, 64> head{};
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  const std::string_view start(head.data(), static_cast<std::size_t>(file.gcount()));
  if (start.empty())
    throw RunError(
        fmt::format("{}: the file is empty (0 bytes); expected a picture; fetch or save it again", path));
  const std::string format = sniff_format(start);
  if (!format.empty()) return format;
  throw RunError(fmt::format("{}: {}; expected a picture: {}; {}", path, describe_non_picture(start),
                             readable_formats(), "open it in a picture program and save it as PNG or JPEG"));
}

std::unique_ptr<oiio::Reader> open_picture(const std::string& path, const std::string& format) {
  std::unique_ptr<oiio::Reader> reader;
  try {
    reader = oiio::open(path, format);
  } catch (const oiio::CodecError& e) {
    throw RunError(fmt::format(
        "{}: the {} file is damaged or cut short ({}); expected a whole picture; fetch or save it again",
        path, format, e.what()));
  }
  const oiio::Header& header = reader->header();
  if (header.width < 1 || header.height < 1 || header.channels < 1) {
    throw RunError(fmt::format(
        "{}: the {} header says {}x{} pixels of {} channels; expected at least 1x1 of 1; the file is damaged",
        path, format, header.width, header.height, header.channels));
  }
  if (header.width > largest_picture_pixels / header.height) {
    throw RunError(
        fmt::format("{}: the {} header says {}x{} pixels; expected at most {} million in all; the file is "
                    "damaged, or has to be "
                    "made smaller first",
                    path, format, header.width, header.height, largest_picture_pixels / 1000000));
  }
  if (format == "bmp" && header.channels == 4) {  // OpenImageIO 2.4 misplaces their channels
    throw RunError(fmt::format("{}: this is a 32-bit BMP; expected 24 bits or fewer; save it as PNG", path));
  }
  return reader;
}

PictureInfo info_of(const oiio::Header& header, const std::string& format) {
  PictureInfo info;
  const bool turned = header.orientation >= 5;
  info.width = static_cast<int>(turned ? header.height : header.width);
  info.height = static_cast<int>(turned ? header.width : header.height);
  info.channels = header.channels;
  info.bits = header.bits;
  info.alpha = header.alpha >= 0;
  info.floating = header.floating;
  info.orientation = header.orientation;
  info.format = format;
  info.software = header.software;
  info.description = header.description;
  if (info.alpha && format == "webp")  // decoded to premultiplied 8 bits: there is nothing left to divide
    info.notes.emplace_back("transparency is left out; what is fully transparent becomes black");
  else if (info.alpha && format != "gif")  // every GIF has alpha for its decoder, so it says nothing
    info.notes.emplace_back("transparency is left out; the colour beneath it is kept");
  if (info.floating)
    info.notes.emplace_back("linear light is converted to sRGB; what is brighter than white becomes white");
  if (header.from_cmyk)
    info.notes.emplace_back("CMYK is converted to RGB without a colour profile; colours may shift");
  if (header.colour_profile && !header.from_cmyk)
    info.notes.emplace_back("the embedded colour profile is ignored; colours are taken for sRGB");
  const bool grey = header.colour[0] == header.colour[1];
  if (header.channels > (grey ? 1 : 3) + (info.alpha ? 1 : 0))
    info.notes.push_back(grey ? "only its first or brightness channel is read, as grey"
                              : "channels other than red, green and blue are left out");
  return info;
}

struct Point {
  std::int64_t x;
  std::int64_t y;
};

// Where the stored pixel (x, y) of a width x height file is seen, by the EXIF orientation tag.
Point oriented(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height, int orientation) {
  switch (orientation) {
    case 2:
      return {width - 1 - x, y};
    case 3:
      return {width - 1 - x, height - 1 - y};
    case 4:
      return {x, height - 1 - y};
    case 5:
      return {y, x};
    case 6:
      return {height - 1 - y, x};
    case 7:
      return {height - 1 - y, width - 1 - x};
    case 8:
      return {y, width - 1 - x};
    default:
      return {x, y};
  }
}

void convert_pixel(const float* in, const oiio::Reader& reader, float* out) {
  const oiio::Header& header = reader.header();
  float factor = 1;
  if (header.premultiplied) {
    const float alpha = in[header.alpha - reader.first_channel()];
    if (alpha > 0) factor = 1 / alpha;
  }
  for (std::size_t c = 0; c < 3; ++c) {
    const float value = in[header.colour[c] - reader.first_channel()] * factor;
    out[c] = header.floating ? srgb_from_linear(value) : std::clamp(value, 0.0F, 1.0F);
  }
}

// Rows decoded at a time: enough to keep a decoder busy, little beside the picture.
constexpr std::int64_t portion_rows = 64;

std::int64_t rows_at_once(const oiio::Reader& reader) {
  const std::int64_t step = reader.row_step();
  return step * std::max<std::int64_t>(1, portion_rows / step);
}

void decode(oiio::Reader& reader, std::span<float> rgb) {
  const oiio::Header& header = reader.header();
  const std::int64_t portion = std::min(rows_at_once(reader), header.height);
  const auto channels = static_cast<std::size_t>(reader.channel_count());
  const auto row_floats = static_cast<std::size_t>(header.width) * channels;
  const std::int64_t seen_width = header.orientation >= 5 ? header.height : header.width;
  std::vector<float> rows(static_cast<std::size_t>(portion) * row_floats);
  for (std::int64_t begin = 0; begin < header.height; begin += portion) {
    const std::int64_t end = std::min(begin + portion, header.height);
    reader.read_rows(begin, end, rows.data());
    for (std::int64_t y = begin; y < end; ++y)
      for (std::int64_t x = 0; x < header.width; ++x) {
        const Point at = oriented(x, y, header.width, header.height, header.orientation);
        const float* in = rows.data() + static_cast<std::size_t>(y - begin) * row_floats +
                          static_cast<std::size_t>(x) * channels;
        convert_pixel(in, reader, rgb.data() + static_cast<std::size_t>(at.y * seen_width + at.x) * 3);
      }
  }
  reader.finish();
}

void read_open(const std::string& path, const std::string& format, oiio::Reader& reader,
               std::span<float> rgb) {
  try {
    decode(reader, rgb);
  } catch (const oiio::CodecError& e) {
    throw RunError(
        fmt::format("{}: the {} picture could not be read to its end ({}); expected a whole picture; it is "
                    "damaged or cut short, "
                    "fetch or save it again",
                    path, format, e.what()));
  }
}

}  // namespace

void load_picture_libraries() { oiio::load(); }

PictureInfo read_picture_info(const std::string& path) {
  const std::string format = format_of_file(path);
  return info_of(open_picture(path, format)->header(), format);
}

Picture read_picture(const std::string& path) {
  const std::string format = format_of_file(path);
  const auto reader = open_picture(path, format);
  Picture picture(info_of(reader->header(), format).size());
  read_open(path, format, *reader, picture.rgb);
  return picture;
}

void read_picture(const std::string& path, std::span<float> rgb, PictureSize expected) {
  const std::string format = format_of_file(path);
  const auto reader = open_picture(path, format);
  const PictureInfo info = info_of(reader->header(), format);
  if (info.size() != expected || rgb.size() != expected.floats()) {
    throw RunError(
        fmt::format("{}: the picture is {}x{}; expected {}x{} as when the run was planned; it was changed in "
                    "between, run again",
                    path, info.width, info.height, expected.width, expected.height));
  }
  read_open(path, format, *reader, rgb);
}

std::size_t reading_bytes(const PictureInfo& info) {
  // The portion of float rows, plus what decoders that cannot stream (WebP, GIF, interlaced PNG, progressive
  // JPEG) keep.
  const auto samples =
      static_cast<std::size_t>(info.size().pixels()) * static_cast<std::size_t>(info.channels);
  const auto widest = static_cast<std::size_t>(std::max(info.width, info.height));
  const std::size_t portion = static_cast<std::size_t>(portion_rows) * widest *
                              static_cast<std::size_t>(info.channels) * sizeof(float);
  return portion + samples * static_cast<std::size_t>(std::max(8, info.bits)) / 8 * 2;
}

}  // namespace gramflow
