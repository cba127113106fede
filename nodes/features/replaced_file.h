#pragma once
// A file that appears whole or not at all: written under another name in the same folder, then renamed.
#include <cstddef>
#include <string>

namespace gramflow {

/// One thread. Not committed: the destructor leaves the folder as it was. Throws RunError, the path in front.
class ReplacedFile {
 public:
  /// Makes missing folders. A link is followed, so that what it points to is replaced.
  explicit ReplacedFile(const std::string& path);
  ~ReplacedFile();
  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;

  void write(const void* bytes, std::size_t count);
  /// Flushes to the disk and renames over `path`.
  void commit();

 private:
  std::string path_;
  std::string beside_;
  int descriptor_ = -1;
};

}  // namespace gramflow
