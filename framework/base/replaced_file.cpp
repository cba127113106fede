#include "framework/base/replaced_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <list>

#include "framework/base/error.h"
#include "framework/base/text.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

void make_folders(const std::string& path, const fs::path& folder) {
  if (fs::is_directory(folder)) return;
  std::error_code error;
  fs::create_directories(folder, error);
  if (fs::is_directory(folder)) return;
  const std::string reason = error ? error.message() : "a file of that name is in the way";
  throw RunError(
      fmt::format("{}: the folder {} cannot be made ({}); expected a place to write to; choose another path",
                  path, folder.string(), reason));
}

void require_replaceable(const std::string& path, const fs::path& target) {
  std::error_code ignored;
  const fs::file_status status = fs::status(target, ignored);
  if (fs::is_directory(status))
    throw RunError(fmt::format(
        "{}: there is a folder of that name; expected a file or none; choose another name", path));
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw RunError(fmt::format(
        "{}: something that is not a file has that name; expected a file or none; choose another name",
        path));
}

}  // namespace

// The standard library's canonical paths stop at a link that points to nothing, so links are followed one by
// one.
fs::path writing_target(const std::string& path) {
  constexpr int most_links = 40;  // as Linux itself
  const fs::path start = fs::absolute(path);
  std::list<fs::path> left(start.begin(), start.end());
  fs::path target;
  for (int links = 0; !left.empty();) {
    const fs::path part = left.front();
    left.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      target = target.parent_path();
      continue;
    }
    const fs::path next = target / part;
    std::error_code error;
    if (!part.is_absolute() && fs::is_symlink(fs::symlink_status(next, error))) {
      if (++links > most_links)
        throw RunError(path + ": its links lead round in a ring; expected the path of a file");
      const fs::path points_to = fs::read_symlink(next, error);
      left.insert(left.begin(), points_to.begin(), points_to.end());
      if (points_to.is_absolute()) target.clear();
    } else {
      target = next;
    }
  }
  return target;
}

void make_folders_for(const std::string& path, const fs::path& target) {
  make_folders(path, target.parent_path());
}

ReplacedFile::ReplacedFile(const std::string& path) : path_(path), target_(writing_target(path)) {
  require_replaceable(path_, target_);
  make_folders(path_, target_.parent_path());
  // The process and a count keep two writers of one file apart.
  static std::atomic<unsigned> count{0};
  beside_ = target_.parent_path() /
            fmt::format(".{}.gramflow-{}-{}.part", target_.filename().string(), ::getpid(), count++);
  descriptor_ = ::open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    const int error = errno;
    beside_.clear();
    throw RunError(fmt::format(
        "{}: cannot be written: the folder {} takes no new files ({}); expected a place to write to; "
        "change its permissions or choose another path",
        path_, target_.parent_path().string(), std::strerror(error)));
  }
  struct ::flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  ::fcntl(descriptor_, F_OFD_SETLK, &whole);  // where there are locks
}

ReplacedFile::~ReplacedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void ReplacedFile::fail_writing(int error) const {
  throw RunError(fmt::format(
      "{}: could not be written ({}); expected room for {} in {}; what was there before is untouched", path_,
      std::strerror(error), human_bytes(asked_), target_.parent_path().string()));
}

void ReplacedFile::write(const void* bytes, std::size_t count) {
  write_at(at_, bytes, count);
  at_ += count;
}

void ReplacedFile::write_at(std::uint64_t offset, const void* bytes, std::size_t count) {
  const char* from = static_cast<const char*>(bytes);
  asked_ = std::max(asked_, offset + count);
  while (count > 0) {
    const ::ssize_t written = ::pwrite(descriptor_, from, count, static_cast<::off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_writing(written == 0 ? ENOSPC : errno);
    from += written;
    offset += static_cast<std::uint64_t>(written);
    count -= static_cast<std::size_t>(written);
  }
}

void ReplacedFile::commit() {
  // Some file systems do not flush (EINVAL); that is no reason to lose what was made.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP) fail_writing(errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail_writing(errno);
  if (std::rename(beside_.c_str(), target_.c_str()) != 0) fail_writing(errno);
  beside_.clear();
}

void replace_file(const std::string& path, std::string_view text) {
  ReplacedFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace gramflow
