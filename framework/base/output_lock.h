#pragma once
// Who is at work on a file that is written: a lock that the system takes back when the process ends, however it
// ends. It lies on a file of its own beside the output, `.NAME.gramflow-lock`, which is removed with the lock.
#include <string>

namespace gramflow {

class OutputLock {
 public:
  /// Locks `path`, links followed; makes missing folders. `says`: one line for whoever comes second ("process 12,
  /// pipeline a.yaml"). Where the file system has no locks, nothing is locked. Throws MissingResource that says who is
  /// at work; RunError when the folder takes no files.
  OutputLock(const std::string& path, const std::string& says);
  ~OutputLock();
  OutputLock(OutputLock&& other) noexcept;
  OutputLock& operator=(OutputLock&&) = delete;

 private:
  std::string file_;  ///< the lock's
  int descriptor_ = -1;
};

/// "process 1234 on HOST since 2026-01-31 10:20:30", of the calling process, for OutputLock.
std::string this_process();

}  // namespace gramflow
