// Writing that never leaves half a picture: it is encoded in memory, and the bytes replace the old file
// whole.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"
#include "framework/base/text.h"
#include "nodes/image/oiio_bridge.h"
#include "nodes/image/picture_format.h"
#include "nodes/image/picture_io.h"
#include "nodes/image/transfer.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

void require_no_problem(const std::string& path, const WriteOptions& options) {
  if (const std::string problem = writing_problem(path, options); !problem.empty())
    throw RunError(fmt::format("{}: {}", path, problem));
}

float unit(float value) { return value > 0 ? std::min(value, 1.0F) : 0.0F; }  // NaN fails the comparison: 0

template <class Sample>
std::vector<Sample> quantised(std::span<const float> rgb, float steps) {
  std::vector<Sample> samples(rgb.size());
  std::transform(rgb.begin(), rgb.end(), samples.begin(),
                 [steps](float v) { return static_cast<Sample>(unit(v) * steps + 0.5F); });
  return samples;
}

std::vector<unsigned char> encoded(std::span<const float> rgb, const oiio::Encoding& encoding) {
  if (encoding.floating) {
    std::vector<float> light(rgb.size());
    std::transform(rgb.begin(), rgb.end(), light.begin(), linear_from_srgb);
    return oiio::encode(encoding, light.data());
  }
  if (encoding.bits == 16) return oiio::encode(encoding, quantised<std::uint16_t>(rgb, 65535).data());
  return oiio::encode(encoding, quantised<std::uint8_t>(rgb, 255).data());
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
  oiio::Encoding encoding;
  encoding.format = format.name;
  encoding.size = size;
  encoding.bits = bits_to_write(format, options);
  encoding.floating = format.floating;
  encoding.quality = options.quality;
  encoding.software = options.software;
  encoding.description = options.description;
  std::vector<unsigned char> bytes;
  try {
    bytes = encoded(rgb, encoding);
  } catch (const oiio::CodecError& e) {
    throw RunError(fmt::format("{}: the {} picture of {}x{} could not be made ({}); nothing was written",
                               path, format.name, size.width, size.height, e.what()));
  }
  ReplacedFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

void write_picture(const std::string& path, const Picture& picture, const WriteOptions& options) {
  write_picture(path, picture.rgb, picture.size(), options);
}

}  // namespace gramflow
