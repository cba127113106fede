#include "nodes/fetch/transfer_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "framework/base/error.h"

namespace gramflow {

TransferFile::TransferFile(const std::string& path) : path_(path) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) throw RunError(path + ": cannot be written: " + std::strerror(errno));
  struct stat status {};
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 || ::fstat(descriptor_, &status) != 0) {
    const bool busy = errno == EWOULDBLOCK;
    ::close(descriptor_);
    throw RunError(path + (busy ? ": is being downloaded by another process" : ": cannot be locked"));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

TransferFile::~TransferFile() {
  if (size_ == 0) ::unlink(path_.c_str());
  ::close(descriptor_);
}

bool TransferFile::append(const char* bytes, std::size_t count) {
  while (count > 0) {
    const ::ssize_t written = ::write(descriptor_, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      problem_ = path_ + ": cannot be written: " + std::strerror(written == 0 ? ENOSPC : errno);
      return false;
    }
    size_ += static_cast<std::uint64_t>(written);
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
  return true;
}

void TransferFile::clear() {
  if (::ftruncate(descriptor_, 0) != 0)
    throw RunError(path_ + ": cannot be emptied: " + std::strerror(errno));
  size_ = 0;
}

}  // namespace gramflow
