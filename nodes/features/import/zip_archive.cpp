// An archive ends with a small record that says where the table of contents is; archives beyond 4 GiB say it
// in a second, 64-bit record before it. An entry of the table names a record and the place of its local
// header, after which the data lies.
#include "nodes/features/import/zip_archive.h"

#include <algorithm>
#include <array>
#include <vector>

#include "nodes/features/printable.h"

namespace gramflow {
namespace {

constexpr std::uint64_t end_size = 22;
constexpr std::uint64_t longest_comment = 65535;
constexpr std::uint64_t longest_table = 16U << 20;
constexpr std::uint32_t all_32 = 0xFFFFFFFFU;

struct Table {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

Table find_table(const ByteFile& file) {
  const std::uint64_t tail_size = std::min(file.size(), end_size + longest_comment);
  const std::uint64_t tail_begin = file.size() - tail_size;
  const std::string tail = file.read(tail_begin, tail_size, "the archive's end");
  const std::size_t at = tail.rfind("PK\x05\x06");
  if (at == std::string::npos || tail.size() - at < end_size)
    file.fail("is a ZIP archive without an end; it is truncated");
  Table table{little_endian(tail, at + 16, 4), little_endian(tail, at + 12, 4),
              little_endian(tail, at + 10, 2)};
  constexpr std::size_t locator_size = 20;
  if (at >= locator_size && tail.compare(at - locator_size, 4, "PK\x06\x07") == 0) {
    const std::string end =
        file.read(little_endian(tail, at - locator_size + 8, 8), 56, "the archive's 64-bit end");
    if (!end.starts_with("PK\x06\x06")) file.fail("its 64-bit archive end is damaged");
    table = {little_endian(end, 48, 8), little_endian(end, 40, 8), little_endian(end, 32, 8)};
  }
  if (table.size > longest_table) file.fail("its table of contents is larger than any weights file needs");
  return table;
}

/// Sizes and offset that did not fit into 32 bits stand in an extra field, in this order, each only when
/// needed.
void read_wide_numbers(const ByteFile& file, const std::string& extra, std::uint64_t& size,
                       std::uint64_t& packed, std::uint64_t& offset) {
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const auto kind = little_endian(extra, at, 2);
    const auto length = static_cast<std::size_t>(little_endian(extra, at + 2, 2));
    std::size_t field = at + 4;
    const std::size_t end = field + length;
    if (end > extra.size()) file.fail("an extra field of its archive is damaged");
    for (std::uint64_t* number : {&size, &packed, &offset}) {
      if (kind != 1 || *number != all_32) continue;
      if (field + 8 > end) file.fail("a 64-bit size of its archive is damaged");
      *number = little_endian(extra, field, 8);
      field += 8;
    }
    at = end;
  }
}

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit) table[i] = (table[i] >> 1) ^ ((table[i] & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return table;
}

}  // namespace

ZipArchive::ZipArchive(const ByteFile& file) : file_(file) {
  const Table place = find_table(file);
  const std::string table = file.read(place.offset, place.size, "the archive's table of contents");
  std::size_t at = 0;
  for (std::uint64_t entry = 0; entry < place.entries; ++entry) {
    if (at + 46 > table.size() || table.compare(at, 4, "PK\x01\x02") != 0)
      file.fail("its archive's table of contents is damaged");
    const auto name_size = static_cast<std::size_t>(little_endian(table, at + 28, 2));
    const auto extra_size = static_cast<std::size_t>(little_endian(table, at + 30, 2));
    const auto comment_size = static_cast<std::size_t>(little_endian(table, at + 32, 2));
    if (at + 46 + name_size + extra_size > table.size())
      file.fail("its archive's table of contents is truncated");
    const std::string name = table.substr(at + 46, name_size);
    const std::string shown = "record '" + printable(name) + "'";
    if ((little_endian(table, at + 8, 2) & 1U) != 0) file.fail(shown + " is encrypted");
    if (little_endian(table, at + 10, 2) != 0)
      file.fail(
          shown +
          " is compressed; torch.save stores its records as they are, so this is no file of its making");
    ZipRecord record;
    std::uint64_t packed = little_endian(table, at + 20, 4);
    std::uint64_t local = little_endian(table, at + 42, 4);
    record.checksum = static_cast<std::uint32_t>(little_endian(table, at + 16, 4));
    record.size = little_endian(table, at + 24, 4);
    read_wide_numbers(file, table.substr(at + 46 + name_size, extra_size), record.size, packed, local);
    if (packed != record.size) file.fail(shown + " has two different sizes");
    const std::string header = file.read(local, 30, "the header of " + shown);
    if (!header.starts_with("PK\x03\x04")) file.fail("the header of " + shown + " is damaged");
    record.offset = local + 30 + little_endian(header, 26, 2) + little_endian(header, 28, 2);
    if (record.offset > file.size() || record.size > file.size() - record.offset)
      file.fail(shown + " lies beyond the end of the file; it is truncated");
    if (!records_.emplace(name, record).second) file.fail(shown + " is there twice");
    at += 46 + name_size + extra_size + comment_size;
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const auto& [name, record] : records_) spans.emplace_back(record.offset, record.offset + record.size);
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i)
    if (spans[i].first < spans[i - 1].second) file.fail("records of its archive overlap");
}

const ZipRecord& ZipArchive::find(const std::string& name) const {
  const auto found = records_.find(name);
  if (found == records_.end()) file_.fail("its archive has no record '" + printable(name) + "'");
  return found->second;
}

void ZipArchive::verify(const std::string& name) const {
  static constexpr std::array<std::uint32_t, 256> table = crc_table();
  const ZipRecord& record = find(name);
  const std::string shown = "record '" + printable(name) + "'";
  std::uint32_t crc = all_32;
  constexpr std::uint64_t step = 1U << 20;
  for (std::uint64_t done = 0; done < record.size; done += step)
    for (const char byte : file_.read(record.offset + done, std::min(step, record.size - done), shown))
      crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xFFU];
  if (~crc != record.checksum) file_.fail(shown + " does not match its checksum; the file is damaged");
}

std::string ZipArchive::read(const std::string& name, std::uint64_t longest) const {
  const ZipRecord& record = find(name);
  const std::string shown = "record '" + printable(name) + "'";
  if (record.size > longest) file_.fail(shown + " is larger than any of its kind");
  verify(name);
  return file_.read(record.offset, record.size, shown);
}

}  // namespace gramflow
