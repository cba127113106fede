#pragma once
// The growing file of a download.
#include <cstdint>
#include <string>

namespace gramflow {

/// Owns the open file; only one process at a time can have it. A file in which nothing arrived is removed at
/// the end. Throws RunError, the path in front.
class TransferFile {
 public:
  explicit TransferFile(const std::string& path);
  ~TransferFile();
  TransferFile(const TransferFile&) = delete;
  TransferFile& operator=(const TransferFile&) = delete;

  std::uint64_t size() const { return size_; }
  /// False when the disk is full or broken; problem() then says why.
  bool append(const char* bytes, std::size_t count);
  void clear();
  const std::string& problem() const { return problem_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::string problem_;
};

}  // namespace gramflow
