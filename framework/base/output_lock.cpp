// An open-file-description lock belongs to this open file, not to the process, so another library that closes the
// same file cannot drop it, and two runs in one process see each other. Whoever gets the lock looks whether the file
// still has its name: the one before may have removed it in between.
#include "framework/base/output_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <thread>
#include <utility>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"
#include "framework/base/text.h"

namespace gramflow {
namespace {

constexpr int most_attempts = 100;

bool is_named(int descriptor, const std::string& path) {
  struct ::stat mine {
  }, there{};
  return ::fstat(descriptor, &mine) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

std::string text_in(int descriptor) {
  std::array<char, 500> bytes{};
  const ::ssize_t got = ::pread(descriptor, bytes.data(), bytes.size(), 0);
  return got > 0 ? one_line({bytes.data(), static_cast<std::size_t>(got)}) : "";
}

[[noreturn]] void report_holder(const std::string& path, int descriptor) {
  std::string who;
  for (int i = 0; i < 20 && who.empty(); ++i) {  // it may be about to write who it is
    who = text_in(descriptor);
    if (who.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::close(descriptor);
  throw MissingResource(
      fmt::format("{}: another run is at work on it: {}; wait for its end, or choose another name", path,
                  who.empty() ? "a process that does not say which" : who));
}

}  // namespace

OutputLock::OutputLock(const std::string& path, const std::string& says) {
  const std::filesystem::path target = writing_target(path);
  make_folders_for(path, target);
  file_ = (target.parent_path() / ("." + target.filename().string() + ".gramflow-lock")).string();
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (descriptor_ < 0)
      throw RunError(
          fmt::format("{}: cannot be written: the folder {} takes no new files ({}); choose another path",
                      path, target.parent_path().string(), std::strerror(errno)));
    struct ::flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(descriptor_, F_OFD_SETLK, &whole) != 0) {
      if (errno == EAGAIN || errno == EACCES) report_holder(path, std::exchange(descriptor_, -1));
      return;  // no locks here
    }
    if (is_named(descriptor_, file_)) break;
    ::close(std::exchange(descriptor_, -1));
  }
  const std::string line = says + "\n";
  if (descriptor_ >= 0 && ::ftruncate(descriptor_, 0) == 0 &&
      ::pwrite(descriptor_, line.data(), line.size(), 0) < 0) {
    // A full disk: then the second run is not told who, only that.
  }
}

OutputLock::OutputLock(OutputLock&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

OutputLock::~OutputLock() {
  if (descriptor_ < 0) return;
  if (is_named(descriptor_, file_)) ::unlink(file_.c_str());
  ::close(descriptor_);
}

std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 40> when{};
  std::strftime(when.data(), when.size(), "%Y-%m-%d %H:%M:%S", &local);
  return fmt::format("process {} on {} since {}", ::getpid(), host.data(), when.data());
}

}  // namespace gramflow
