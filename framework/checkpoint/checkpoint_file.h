#pragma once
// A checkpoint as a file: a line that says what it is, the head, then the vectors as they lie in memory.
//
//   "gramflow checkpoint 1\n"  head's length (u64)  head  checksum (16 bytes)  { floats  checksum } ...
//
// Everything is little-endian. Files are replaced whole (replaced_file.h).
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/checkpoint/checkpoint_head.h"

namespace gramflow {

/// Writes the file, on the disk when this returns. `vectors` are named by head.vectors, in that order and of
/// those lengths. Throws RunError, and then what was there before is untouched.
void write_checkpoint(const std::string& path, const CheckpointHead& head,
                      std::span<const std::span<const float>> vectors);

/// A checkpoint that is whole: every byte was read and its checksum compared.
class CheckpointFile {
 public:
  /// Throws DamagedCheckpoint, its text without the path.
  explicit CheckpointFile(const std::string& path);
  ~CheckpointFile();
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  const std::string& path() const { return path_; }
  const CheckpointHead& head() const { return head_; }
  /// Number of the vector of that name; -1 for none.
  int find(const std::string& name) const;
  /// Reads one vector; `to` has its length. Throws DamagedCheckpoint when the file has changed since.
  void read(int vector, std::span<float> to) const;
  std::vector<float> read(int vector) const;

 private:
  void take(std::uint64_t offset, void* to, std::size_t count) const;
  void verify();

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  CheckpointHead head_;
  std::vector<std::uint64_t> offsets_;  // of the vectors
};

/// Whether a file says of itself that it is a checkpoint, whole or not: what may be overwritten by one.
bool looks_like_checkpoint(const std::string& path);

}  // namespace gramflow
