#include "framework/base/stale_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

namespace gramflow {
namespace fs = std::filesystem;
namespace {

/// The process in ".NAME.gramflow-PID-N.part"; 0 for any other name.
::pid_t writer_of(const std::string& name) {
  constexpr std::string_view mark = ".gramflow-", end = ".part";
  const std::size_t at = name.rfind(mark);
  if (!name.starts_with('.') || !name.ends_with(end) || at == std::string::npos) return 0;
  const std::string numbers = name.substr(at + mark.size(), name.size() - end.size() - at - mark.size());
  const std::size_t dash = numbers.find('-');
  if (dash == std::string::npos || dash == 0 || dash > 9 ||
      numbers.find_first_not_of("0123456789-") != std::string::npos)
    return 0;
  return static_cast<::pid_t>(std::stol(numbers.substr(0, dash)));
}

bool is_gone(::pid_t process) { return ::kill(process, 0) != 0 && errno == ESRCH; }

/// A process of another machine has no number here, but it holds its file locked. It is removed under our own lock, so
/// that nobody takes it in between.
void remove_unless_held(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return;
  struct ::stat status {};
  struct ::flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && ::fcntl(file, F_OFD_SETLK, &whole) == 0)
    ::unlink(path.c_str());
  ::close(file);
}

}  // namespace

void remove_stale_files(const fs::path& folder) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    const ::pid_t writer = writer_of(name);
    const bool part = writer > 0 && is_gone(writer);
    const bool lock = name.starts_with('.') && name.ends_with(".gramflow-lock");
    if (part || lock) remove_unless_held(entry->path().string());
  }
}

}  // namespace gramflow
