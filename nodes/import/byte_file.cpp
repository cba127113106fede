#include "nodes/import/byte_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "framework/base/error.h"

namespace gramflow {

ByteFile::ByteFile(const std::string& path) : path_(path) {
  // Non-blocking: opening a pipe nobody writes to would wait for ever.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0)
    fail(errno == ENOENT ? "there is no such file"
                         : std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail(known && S_ISDIR(status.st_mode) ? "is a folder" : "is no ordinary file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

ByteFile::~ByteFile() { ::close(descriptor_); }

std::string ByteFile::read(std::uint64_t offset, std::uint64_t count, const std::string& what) const {
  if (offset > size_ || count > size_ - offset)
    fail(what + " lies beyond the end of the file; it is truncated or damaged");
  std::string bytes(count, '\0');
  for (std::uint64_t done = 0; done < count;) {
    const ::ssize_t got =
        ::pread(descriptor_, bytes.data() + done, count - done, static_cast<::off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail(what + " cannot be read: " + (got == 0 ? "the file shrank" : std::strerror(errno)));
    done += static_cast<std::uint64_t>(got);
  }
  return bytes;
}

void ByteFile::fail(const std::string& message) const { throw RunError(path_ + ": " + message); }

std::uint64_t little_endian(const std::string& bytes, std::size_t offset, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(offset + i));
  return value;
}

}  // namespace gramflow
