#include "nodes/features/replaced_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "framework/base/error.h"

namespace gramflow {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw RunError(path + ": cannot be written: " + std::strerror(error));
}

}  // namespace

ReplacedFile::ReplacedFile(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code problem;
  const fs::path resolved = fs::weakly_canonical(path, problem);
  const fs::path target = problem ? fs::absolute(path) : resolved;
  path_ = target.string();
  if (fs::is_directory(target, problem)) fail(path_, EISDIR);
  fs::create_directories(target.parent_path(), problem);
  // The process and a count keep two writers of one file apart.
  static std::atomic<unsigned> count{0};
  const std::string mark = "." + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".part";
  beside_ = (target.parent_path() / ("." + target.filename().string() + mark)).string();
  descriptor_ = ::open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    beside_.clear();
    fail(path_, errno);
  }
}

ReplacedFile::~ReplacedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void ReplacedFile::write(const void* bytes, std::size_t count) {
  const char* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ::ssize_t written = ::write(descriptor_, from, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(path_, written == 0 ? ENOSPC : errno);
    from += written;
    count -= static_cast<std::size_t>(written);
  }
}

void ReplacedFile::commit() {
  // Some file systems do not flush (EINVAL); that is no reason to fail.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP) fail(path_, errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail(path_, errno);
  if (std::rename(beside_.c_str(), path_.c_str()) != 0) fail(path_, errno);
  beside_.clear();
}

}  // namespace gramflow
