#pragma once
// As much of the ZIP format as torch.save writes: records stored one after the other, uncompressed.
#include <cstdint>
#include <map>
#include <string>

#include "nodes/features/import/byte_file.h"

namespace gramflow {

struct ZipRecord {
  std::uint64_t offset = 0;  ///< of the data
  std::uint64_t size = 0;
  std::uint32_t checksum = 0;  ///< CRC-32
};

/// Reads the table of contents; `file` must outlive the archive. Throws RunError for damaged archives,
/// compressed or encrypted records (nothing is ever unpacked, so a bomb has nothing to explode), records
/// outside of the file, overlapping or named twice.
class ZipArchive {
 public:
  explicit ZipArchive(const ByteFile& file);
  const std::map<std::string, ZipRecord>& records() const { return records_; }
  /// Throws when there is no such record.
  const ZipRecord& find(const std::string& name) const;
  /// Throws when the record's bytes do not have its checksum. Reads it once, a piece at a time.
  void verify(const std::string& name) const;
  /// A whole record of at most `longest` bytes, its checksum verified.
  std::string read(const std::string& name, std::uint64_t longest) const;

 private:
  const ByteFile& file_;
  std::map<std::string, ZipRecord> records_;
};

}  // namespace gramflow
