#pragma once
// As much of the ZIP format as torch.save, numpy and Keras write: records one after the other, stored as they
// are or compressed with deflate.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "framework/base/parallel.h"
#include "nodes/import/byte_file.h"

namespace gramflow {

struct ZipRecord {
  std::uint64_t offset = 0;  ///< of the data
  std::uint64_t size = 0;
  std::uint32_t checksum = 0;  ///< CRC-32
  int method = 0;              ///< 0: stored, 8: deflate; others are never unpacked
  std::uint64_t packed = 0;    ///< bytes in the file; `size` when stored
};

/// Reads the table of contents; `file` must outlive the archive. Throws RunError for damaged archives,
/// encrypted records, records outside of the file,
/// overlapping or named twice. Nothing is unpacked but what is read, and never more than was said before.
class ZipArchive {
 public:
  explicit ZipArchive(const ByteFile& file);
  const std::map<std::string, ZipRecord>& records() const { return records_; }
  /// Throws when there is no such record.
  const ZipRecord& find(const std::string& name) const;
  /// Throws for a compressed one: torch.save makes none, so a bomb has nothing to explode.
  const ZipRecord& find_stored(const std::string& name) const;
  /// Throws when the record's bytes do not have its checksum. Reads it once, a piece at a time.
  void verify(const std::string& name) const;
  /// A whole record of at most `longest` bytes, its checksum verified.
  std::string read(const std::string& name, std::uint64_t longest) const;
  /// Its first bytes, at most `count`; no checksum.
  std::string read_begin(const std::string& name, std::uint64_t count) const;
  /// Writes a record's bytes to a file descriptor, a piece at a time; its checksum is verified.
  void copy_to(const std::string& name, int descriptor) const;

 private:
  /// Calls `take` with the unpacked bytes, a piece at a time, until it returns false; never more than the
  /// record's size.
  void unpack(const std::string& name, FunctionRef<bool(std::string_view)> take) const;
  const ByteFile& file_;
  std::map<std::string, ZipRecord> records_;
};

}  // namespace gramflow
