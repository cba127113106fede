// An archive ends with a small record that says where the table of contents is; archives beyond 4 GiB say it
// in a second, 64-bit record before it. An entry of the table names a record and the place of its local
// header, after which the data lies.
#include "nodes/import/zip_archive.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "framework/base/printable.h"

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
    ZipRecord record;
    record.method = static_cast<int>(little_endian(table, at + 10, 2));
    std::uint64_t packed = little_endian(table, at + 20, 4);
    std::uint64_t local = little_endian(table, at + 42, 4);
    record.checksum = static_cast<std::uint32_t>(little_endian(table, at + 16, 4));
    record.size = little_endian(table, at + 24, 4);
    read_wide_numbers(file, table.substr(at + 46 + name_size, extra_size), record.size, packed, local);
    if (record.method == 0 && packed != record.size) file.fail(shown + " has two different sizes");
    record.packed = packed;
    const std::string header = file.read(local, 30, "the header of " + shown);
    if (!header.starts_with("PK\x03\x04")) file.fail("the header of " + shown + " is damaged");
    record.offset = local + 30 + little_endian(header, 26, 2) + little_endian(header, 28, 2);
    if (record.offset > file.size() || record.packed > file.size() - record.offset)
      file.fail(shown + " lies beyond the end of the file; it is truncated");
    if (!records_.emplace(name, record).second) file.fail(shown + " is there twice");
    at += 46 + name_size + extra_size + comment_size;
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const auto& [name, record] : records_)
    spans.emplace_back(record.offset, record.offset + record.packed);
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i)
    if (spans[i].first < spans[i - 1].second) file.fail("records of its archive overlap");
}

const ZipRecord& ZipArchive::find(const std::string& name) const {
  const auto found = records_.find(name);
  if (found == records_.end()) file_.fail("its archive has no record '" + printable(name) + "'");
  return found->second;
}

const ZipRecord& ZipArchive::find_stored(const std::string& name) const {
  const ZipRecord& record = find(name);
  if (record.method != 0)
    file_.fail(
        "record '" + printable(name) +
        "' is compressed; torch.save stores its records as they are, so this is no file of its making");
  return record;
}

void ZipArchive::unpack(const std::string& name, FunctionRef<bool(std::string_view)> take) const {
  const ZipRecord& record = find(name);
  const std::string shown = "record '" + printable(name) + "'";
  constexpr std::uint64_t step = 1U << 20;
  if (record.method == 0) {
    for (std::uint64_t done = 0; done < record.size; done += step)
      if (!take(file_.read(record.offset + done, std::min(step, record.size - done), shown))) return;
    return;
  }
  if (record.method != 8)
    file_.fail(shown + " is packed in a way that is not known here (" + std::to_string(record.method) + ")");
  ::z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) file_.fail("no memory to unpack " + shown);
  const std::unique_ptr<::z_stream, int (*)(::z_stream*)> closer(&stream, ::inflateEnd);
  std::string out(step, '\0');
  std::uint64_t done = 0;
  int status = Z_OK;
  for (std::uint64_t at = 0; at < record.packed && status != Z_STREAM_END; at += step) {
    std::string in = file_.read(record.offset + at, std::min(step, record.packed - at), shown);
    stream.next_in = reinterpret_cast<::Bytef*>(in.data());
    stream.avail_in = static_cast<::uInt>(in.size());
    do {
      stream.next_out = reinterpret_cast<::Bytef*>(out.data());
      stream.avail_out = static_cast<::uInt>(out.size());
      status = ::inflate(&stream, Z_NO_FLUSH);
      const std::uint64_t made = out.size() - stream.avail_out;
      done += made;
      if ((status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) || done > record.size)
        file_.fail(shown + " is damaged: it cannot be unpacked");
      if (made > 0 && !take(std::string_view(out).substr(0, made))) return;
    } while (stream.avail_out == 0 && status != Z_STREAM_END);
  }
  if (done != record.size) file_.fail(shown + " is damaged: it is shorter than it should be");
}

namespace {

class Crc {
 public:
  void update(std::string_view bytes) {
    sum_ = ::crc32_z(sum_, reinterpret_cast<const ::Bytef*>(bytes.data()), bytes.size());
  }
  std::uint32_t value() const { return static_cast<std::uint32_t>(sum_); }

 private:
  ::uLong sum_ = 0;
};

}  // namespace

void ZipArchive::verify(const std::string& name) const {
  Crc crc;
  unpack(name, [&](std::string_view bytes) {
    crc.update(bytes);
    return true;
  });
  if (crc.value() != find(name).checksum)
    file_.fail("record '" + printable(name) + "' does not match its checksum; the file is damaged");
}

std::string ZipArchive::read(const std::string& name, std::uint64_t longest) const {
  const ZipRecord& record = find(name);
  if (record.size > longest) file_.fail("record '" + printable(name) + "' is larger than any of its kind");
  std::string result;
  Crc crc;
  unpack(name, [&](std::string_view bytes) {
    crc.update(bytes);
    result.append(bytes);
    return true;
  });
  if (crc.value() != record.checksum)
    file_.fail("record '" + printable(name) + "' does not match its checksum; the file is damaged");
  return result;
}

std::string ZipArchive::read_begin(const std::string& name, std::uint64_t count) const {
  std::string result;
  unpack(name, [&](std::string_view bytes) {
    result.append(bytes.substr(0, count - result.size()));
    return result.size() < count;
  });
  return result;
}

void ZipArchive::copy_to(const std::string& name, int descriptor) const {
  Crc crc;
  unpack(name, [&](std::string_view bytes) {
    crc.update(bytes);
    while (!bytes.empty()) {
      const ::ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) file_.fail("cannot be unpacked: the folder for temporary files is full");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  });
  if (crc.value() != find(name).checksum)
    file_.fail("record '" + printable(name) + "' does not match its checksum; the file is damaged");
}

}  // namespace gramflow
