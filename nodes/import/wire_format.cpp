#include "nodes/import/wire_format.h"

#include <algorithm>

#include "framework/base/error.h"

namespace gramflow {
namespace {

constexpr std::uint64_t most_fields = 1'000'000;
constexpr std::uint64_t longest_text = 4096;
constexpr std::size_t most_integers = 1000;

}  // namespace

unsigned char WireReader::byte() {
  if (at_ >= end_) file_.fail("is damaged: a message ends in the middle of a field");
  if (at_ < buffer_at_ || at_ >= buffer_at_ + buffer_.size()) {
    constexpr std::uint64_t ahead = 256;  // messages are mostly long pieces that are jumped over
    buffer_ = file_.read(at_, std::min(ahead, end_ - at_), "a message");
    buffer_at_ = at_;
  }
  return static_cast<unsigned char>(buffer_[at_++ - buffer_at_]);
}

std::uint64_t WireReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const unsigned char next = byte();
    value |= static_cast<std::uint64_t>(next & 0x7FU) << shift;
    if ((next & 0x80U) == 0) return value;
  }
  file_.fail("is damaged: a number of a message is too long");
}

std::uint64_t WireReader::fixed(int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(byte()) << (8 * i);
  return value;
}

bool WireReader::next(WireField& field) {
  if (at_ >= end_) return false;
  if (++fields_ > most_fields) file_.fail("holds more fields than any weights file");
  const std::uint64_t tag = varint();
  field = {};
  field.type = static_cast<int>(tag & 7U);
  if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFFU)
    file_.fail("is damaged: a message has a field without a number");
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.offset = at_;
  switch (field.type) {
    case 0:
      field.value = varint();
      break;
    case 1:
      field.value = fixed(8);
      break;
    case 5:
      field.value = fixed(4);
      break;
    case 2:
      field.size = varint();
      field.offset = at_;
      if (field.size > end_ - at_) file_.fail("is damaged: a field of a message is longer than the message");
      at_ += field.size;
      break;
    default:
      file_.fail("is damaged: a message has a field of no known kind");
  }
  if (field.type != 2) field.size = at_ - field.offset;
  return true;
}

std::string WireReader::text(const WireField& field) const {
  if (field.type != 2) return "";
  if (field.size > longest_text) file_.fail("is damaged: a name in it is longer than any");
  return file_.read(field.offset, field.size, "a name");
}

void WireReader::integers(const WireField& field, std::vector<std::int64_t>& numbers) const {
  if (field.type == 0) {
    numbers.push_back(static_cast<std::int64_t>(field.value));
  } else if (field.type == 2) {
    if (field.size > 10 * most_integers) file_.fail("is damaged: a list of numbers in it is longer than any");
    WireReader packed(file_, field.offset, field.size);
    while (packed.at_ < packed.end_) numbers.push_back(static_cast<std::int64_t>(packed.varint()));
  }
  if (numbers.size() > most_integers) file_.fail("is damaged: a list of numbers in it is longer than any");
}

std::vector<WireField> top_fields(const ByteFile& file) {
  std::vector<WireField> fields;
  try {
    WireReader reader(file, 0, file.size());
    WireField field;
    while (reader.next(field)) {
      fields.push_back(field);
      if (fields.size() > 20'000) return {};
    }
  } catch (const RunError&) {
    return {};
  }
  return fields;
}

}  // namespace gramflow
