#pragma once
// Protocol Buffers' wire format, as far as finding a few fields in a message needs it: nothing is made of a
// message but what is asked for. https://protobuf.dev/programming-guides/encoding
#include <cstdint>
#include <string>
#include <vector>

#include "nodes/import/byte_file.h"

namespace gramflow {

/// One field of a message: a number, or a piece of the file.
struct WireField {
  std::uint32_t number = 0;
  int type = 0;              ///< 0: varint, 1: 64 bits, 2: bytes, 5: 32 bits
  std::uint64_t value = 0;   ///< of types 0, 1 and 5
  std::uint64_t offset = 0;  ///< in the file, of the bytes (or the number) itself
  std::uint64_t size = 0;
};

/// Goes through the fields of the message at a piece of a file. The file must outlive it.
class WireReader {
 public:
  WireReader(const ByteFile& file, std::uint64_t begin, std::uint64_t size)
      : file_(file), at_(begin), end_(begin + size) {}
  WireReader(const ByteFile& file, const WireField& message)
      : WireReader(file, message.offset, message.size) {}

  /// False at the end. Throws RunError for what is no message, or has more than a million fields.
  bool next(WireField& field);

  std::string text(const WireField& field) const;
  /// Whole numbers of a repeated field, packed or one by one, added to `numbers`; at most a thousand.
  void integers(const WireField& field, std::vector<std::int64_t>& numbers) const;

 private:
  std::uint64_t varint();
  std::uint64_t fixed(int bytes);
  unsigned char byte();

  const ByteFile& file_;
  std::uint64_t at_;
  std::uint64_t end_;
  std::uint64_t fields_ = 0;
  std::string buffer_;
  std::uint64_t buffer_at_ = 0;
};

/// The numbers of the fields at the top of a message that is the whole file: empty when it is none.
std::vector<WireField> top_fields(const ByteFile& file);

}  // namespace gramflow
