#pragma once
// Reading parts of a file that may be larger than memory.
#include <cstdint>
#include <string>
#include <vector>

namespace gramflow {

/// An open ordinary file. One thread. Throws RunError, the path in front, for what cannot be opened or ends
/// too early.
class ByteFile {
 public:
  explicit ByteFile(const std::string& path);
  ~ByteFile();
  ByteFile(const ByteFile&) = delete;
  ByteFile& operator=(const ByteFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// `what` is named when the file ends before.
  std::string read(std::uint64_t offset, std::uint64_t count, const std::string& what) const;
  int descriptor() const { return descriptor_; }
  [[noreturn]] void fail(const std::string& message) const;

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// Little-endian number of `count` bytes at `offset` of `bytes`, which must be there.
std::uint64_t little_endian(const std::string& bytes, std::size_t offset, std::size_t count);

}  // namespace gramflow
