// Writing that never leaves half a picture: the encoder's bytes go into a file beside, which replaces the old
// one whole.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/plain_file.h"
#include "framework/base/replaced_file.h"
#include "framework/base/text.h"
#include "nodes/image/exif_block.h"
#include "nodes/image/picture_format.h"
#include "nodes/image/picture_io.h"
#include "nodes/image/picture_module.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

void require_no_problem(const std::string& path, const WriteOptions& options) {
  if (const std::string problem = writing_problem(path, options); !problem.empty())
    throw RunError(fmt::format("{}: {}", path, problem));
}

int bits_to_write(const WritableFormat& format, const WriteOptions& options) {
  return options.bits == 0 ? format.bits.front() : options.bits;
}

}  // namespace

std::vector<std::string> writable_endings() {
  std::vector<std::string> endings;
  for (const auto& format : writable_formats())
    endings.insert(endings.end(), format.endings.begin(), format.endings.end());
  return endings;
}

std::string writing_problem(const std::string& path, const WriteOptions& options) {
  const fs::path name = fs::path(path).filename();
  if (name.empty()) return "names a folder; expected a file name, such as result.png";
  const WritableFormat* format = writable_format(path);
  if (format == nullptr) {
    const std::string ending = name.extension().string();
    const std::vector<std::string> known = writable_endings();
    const std::string hint = ending.empty() ? "add one, such as .png" : did_you_mean(ending, known);
    return fmt::format("{}; expected one of {}{}",
                       ending.empty() ? "has no ending that tells the format"
                                      : "'" + ending + "' is not a format that is written",
                       join_words(known, "or"), hint.empty() ? "" : "; " + hint);
  }
  if (options.bits != 0 &&
      std::find(format->bits.begin(), format->bits.end(), options.bits) == format->bits.end()) {
    std::vector<std::string> known;
    for (int bits : format->bits) known.push_back(std::to_string(bits));
    return fmt::format("{} bits a channel cannot be written to {}; expected {}; for 16 bits use .png or .tif",
                       options.bits, format->endings.front(), join_words(known, "or"));
  }
  if (options.quality < 1 || options.quality > 100)
    return fmt::format("quality {}; expected 1 to 100", options.quality);
  return "";
}

std::string size_problem(const std::string& path, PictureSize size, const WriteOptions& options) {
  const WritableFormat& format = *writable_format(path);
  const std::string limit = size_limit(format, size, bits_to_write(format, options));
  if (limit.empty()) return "";
  std::vector<std::string> others;
  for (const WritableFormat& other : writable_formats())
    if (size_limit(other, size, other.bits.front()).empty()) others.push_back(other.endings.front());
  return fmt::format("the picture is {}x{}, and {}; {}", size.width, size.height, limit,
                     others.empty() ? "no format takes that, make it smaller"
                                    : "for this size use " + join_words(others, "or"));
}

std::string profile_problem(const std::string& path, const std::vector<unsigned char>& profile) {
  const WritableFormat& format = *writable_format(path);
  if (!format.embeds_profile)
    return fmt::format(
        "its colour profile has no place in {}; use .png, .jpg, .tif or .webp, or 'profile: srgb'",
        format.endings.front());
  const std::string problem = encode::picture_module().problem_of_profile(profile);
  return problem.empty() ? "" : problem + "; use 'profile: srgb'";
}

std::string metadata_left_out(const std::string& path) {
  const WritableFormat& format = *writable_format(path);
  if (format.embeds_exif) return "";
  return fmt::format("the source's EXIF has no place in {}{}", format.endings.front(),
                     format.name == "tiff" ? ", only its XMP comes along" : " and its XMP neither");
}

std::string place_problem(const std::string& path) {
  constexpr std::size_t longest_name = 220;  // systems take 255, but a longer one is written first
  if (path.find("://") != std::string::npos) return "it is an address; expected the path of a file";
  if (path.starts_with("~/")) return "'~' is not replaced here; write \"${env:HOME}" + path.substr(1) + "\"";
  for (const fs::path& part : fs::path(path))
    if (part.string().size() > longest_name)
      return fmt::format("a name in it is {} bytes long; at most {} are possible", part.string().size(),
                         longest_name);
  fs::path target;
  try {
    target = writing_target(path);
  } catch (const RunError&) {
    return "its links lead round in a ring";
  }
  std::error_code ignored;
  if (fs::is_directory(target, ignored)) return "there is a folder of that name";
  if (const std::string kind = not_a_plain_file(target.string()); !kind.empty()) return "it is " + kind;
  fs::path folder = target.parent_path();
  while (!folder.empty() && folder != folder.root_path() && !fs::exists(folder, ignored))
    folder = folder.parent_path();
  if (!fs::is_directory(folder, ignored)) return fmt::format("{} is a file, not a folder", folder.string());
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fmt::format("the folder {} takes no files", folder.string());
  return "";
}

void check_writable(const std::string& path, const WriteOptions& options) {
  require_no_problem(path, options);
  const ReplacedFile probe(path);  // never committed, so nothing stays
}

void write_picture(const std::string& path, std::span<const float> rgb, PictureSize size,
                   const WriteOptions& options) {
  require_no_problem(path, options);
  if (const std::string problem = size_problem(path, size, options); !problem.empty())
    throw RunError(fmt::format("{}: cannot be written: {}", path, problem));
  const WritableFormat& format = *writable_format(path);
  encode::Encoding encoding;
  encoding.format = format.name;
  encoding.size = size;
  encoding.bits = bits_to_write(format, options);
  encoding.floating = format.floating;
  encoding.quality = options.quality;
  encoding.software = options.software;
  encoding.description = options.description;
  encoding.profile = options.profile;
  // JPEG and WebP have no other place for the name of a program.
  const bool webp = format.name == "webp";  // which has no comments either
  const bool needs_exif = format.name == "jpeg" || format.name == "webp";
  encoding.exif = options.exif.empty() && needs_exif && !options.software.empty()
                      ? new_exif(options.software, webp ? options.description : "")
                      : options.exif;
  encoding.xmp = options.xmp;
  const std::size_t row_floats = static_cast<std::size_t>(size.width) * 3;
  const auto row = [&](int y, float* to) {
    std::copy_n(rgb.data() + static_cast<std::size_t>(y) * row_floats, row_floats, to);
  };
  ReplacedFile file(path);
  try {
    encode::picture_module().encode_picture(encoding, row,
                                            [&](std::uint64_t offset, const void* bytes, std::size_t count) {
                                              file.write_at(offset, bytes, count);
                                            });
  } catch (const RunError&) {
    throw;
  } catch (const MissingResource&) {
    throw;
  } catch (const std::exception& e) {
    throw RunError(fmt::format("{}: the {} picture of {}x{} could not be made ({}); nothing was written",
                               path, format.name, size.width, size.height, e.what()));
  }
  file.commit();
}

std::size_t writing_bytes(const std::string& path, PictureSize size) {
  constexpr std::size_t webp_bytes_a_pixel = 8;  // measured: ARGB, its copy as YUV, and the file
  const std::size_t rows = static_cast<std::size_t>(size.width) * 3 * sizeof(float) * 64;
  const bool whole = writable_format(path)->name == "webp";
  return rows + (whole ? static_cast<std::size_t>(size.pixels()) * webp_bytes_a_pixel : 0);
}

void write_picture(const std::string& path, const Picture& picture, const WriteOptions& options) {
  write_picture(path, picture.rgb, picture.size(), options);
}

}  // namespace gramflow
