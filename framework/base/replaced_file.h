#pragma once
// The one way in which gramflow writes a file that must never be seen half: under another name in the same
// folder, then renamed over the old one, which is atomic. At every moment there is the old file or the whole
// new one.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace gramflow {

/// Where writing to `path` ends: absolute, every link followed, also one that points to nothing yet (so the
/// link stays and its target is made). Touches nothing. Throws RunError, the path in front, when links lead
/// round in a ring.
std::filesystem::path writing_target(const std::string& path);

/// Makes the folder that `target` = writing_target(path) lies in. Throws RunError, the path in front.
void make_folders_for(const std::string& path, const std::filesystem::path& target);

/// One thread. Not committed: the destructor leaves the folder as it was, but for folders that were made.
/// Everything throws RunError: the path as it was given, what failed and why, and that the old file is
/// untouched.
class ReplacedFile {
 public:
  /// Makes missing folders and the file beside, `.NAME.gramflow-PROCESS-COUNT.part`, which is locked as long as it is
  /// written: stale_files.h removes those of processes that are gone. Refuses a path that is a folder, a device or the like.
  explicit ReplacedFile(const std::string& path);
  ~ReplacedFile();
  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;

  /// Behind what was written last.
  void write(const void* bytes, std::size_t count);
  /// Anywhere, for formats that come back to their beginning.
  void write_at(std::uint64_t offset, const void* bytes, std::size_t count);
  /// Flushes to the disk and renames over the target.
  void commit();

 private:
  [[noreturn]] void fail_writing(int error) const;

  std::string path_;              ///< for messages
  std::filesystem::path target_;  ///< what is replaced
  std::filesystem::path beside_;  ///< what is written; empty when there is none any more
  std::uint64_t asked_ = 0;       ///< how long the file is to be, so far
  std::uint64_t at_ = 0;          ///< where write() goes on
  int descriptor_ = -1;
};

/// A text that is at hand, as a whole file. Throws RunError.
void replace_file(const std::string& path, std::string_view text);

}  // namespace gramflow
