// Writing that never leaves half a picture. The file is encoded in memory, written under another name in the
// same folder, flushed to the disk and renamed over the old one: rename within a folder is atomic, so a
// reader sees the old picture or the new.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "nodes/image/oiio_bridge.h"
#include "nodes/image/picture_format.h"
#include "nodes/image/picture_io.h"
#include "nodes/image/transfer.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

// A file that is removed again unless it was renamed into place.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target) {
    // The process and a count keep two writers of one picture apart.
    static std::atomic<unsigned> count{0};
    path_ =
        target.parent_path() / fmt::format(".{}.{}-{}.part", target.filename().string(), ::getpid(), count++);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
      error_ = errno;
      exists_ = false;
    }
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (exists_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  /// 0 or an errno value, from here on.
  int error() const { return error_; }
  void write(const std::vector<unsigned char>& bytes) {
    if (error_ != 0) return;
    std::size_t done = 0;
    while (error_ == 0 && done < bytes.size()) {
      const ::ssize_t written = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
      if (written > 0) {
        done += static_cast<std::size_t>(written);
      } else if (written == 0 || errno != EINTR) {
        error_ = written == 0 ? ENOSPC : errno;
      }
    }
    // Some file systems do not flush (EINVAL); that is no reason to lose a picture.
    if (error_ == 0 && ::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP) error_ = errno;
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (error_ == 0 && closed != 0) error_ = errno;
  }
  void rename_to(const fs::path& target) {
    if (error_ != 0) return;
    if (::rename(path_.c_str(), target.c_str()) != 0) {
      error_ = errno;
    } else {
      exists_ = false;
    }
  }

 private:
  fs::path path_;
  int descriptor_ = -1;
  int error_ = 0;
  bool exists_ = true;
};

// A link is followed, so that renaming replaces the picture it points to and not the link.
fs::path real_target(const std::string& path) {
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(path, error);
  return error ? fs::absolute(path) : resolved;
}

void make_folders(const std::string& path, const fs::path& target) {
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (fs::is_directory(target.parent_path())) return;
  const std::string reason = error ? error.message() : "a file of that name is in the way";
  throw RunError(
      fmt::format("{}: the folder {} cannot be made ({}); expected a place to write to; choose another path",
                  path, target.parent_path().string(), reason));
}

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

std::string place_problem(const std::string& path) {
  constexpr std::size_t longest_name = 220;  // systems take 255, but a longer one is written first
  if (path.find("://") != std::string::npos) return "it is an address; expected the path of a file";
  if (path.starts_with("~/")) return "'~' is not replaced here; write \"${env:HOME}" + path.substr(1) + "\"";
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return "there is a folder of that name";
  for (const fs::path& part : fs::path(path))
    if (part.string().size() > longest_name)
      return fmt::format("a name in it is {} bytes long; at most {} are possible", part.string().size(),
                         longest_name);
  fs::path folder = fs::absolute(path, ignored).parent_path();
  while (!folder.empty() && folder != folder.root_path() && !fs::exists(folder, ignored))
    folder = folder.parent_path();
  if (!fs::is_directory(folder, ignored)) return fmt::format("{} is a file, not a folder", folder.string());
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fmt::format("the folder {} takes no files", folder.string());
  return "";
}

void check_writable(const std::string& path, const WriteOptions& options) {
  require_no_problem(path, options);
  const fs::path target = real_target(path);
  if (fs::is_directory(target))
    throw RunError(fmt::format(
        "{}: there is a folder of that name; expected a picture file; choose another name", path));
  if (fs::exists(target) && !fs::is_regular_file(target))
    throw RunError(fmt::format(
        "{}: something that is not a file has that name; expected a picture file; choose another name",
        path));
  make_folders(path, target);
  const TemporaryFile probe(target);
  if (probe.error() != 0) {
    throw RunError(
        fmt::format("{}: the folder {} takes no new files ({}); expected a place to write to; change its "
                    "permissions or choose another path",
                    path, target.parent_path().string(), std::strerror(probe.error())));
  }
}

void write_picture(const std::string& path, std::span<const float> rgb, PictureSize size,
                   const WriteOptions& options) {
  require_no_problem(path, options);
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
  const fs::path target = real_target(path);
  make_folders(path, target);
  TemporaryFile file(target);
  file.write(bytes);
  file.rename_to(target);
  if (file.error() != 0) {
    throw RunError(fmt::format(
        "{}: could not be written ({}); expected room for {} in {}; what was there before is untouched", path,
        std::strerror(file.error()), human_bytes(bytes.size()), target.parent_path().string()));
  }
}

void write_picture(const std::string& path, const Picture& picture, const WriteOptions& options) {
  write_picture(path, picture.rgb, picture.size(), options);
}

}  // namespace gramflow
