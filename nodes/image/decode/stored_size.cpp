#include "nodes/image/decode/stored_size.h"

#include <algorithm>
#include <cstdio>

#include "nodes/image/decode/byte_reader.h"

namespace gramflow::decode {
namespace {

/// "-Y 480 +X 640" behind an empty line.
StoredSize radiance_size(Bytes bytes) {
  const std::string head(
      bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(bytes.size(), 65536)));
  const std::size_t at = head.find("\n\n");
  if (at == std::string::npos) throw Damaged("its header has no end");
  char first = 0, second = 0;
  long long a = 0, b = 0;
  if (std::sscanf(head.c_str() + at + 2, "%*c%c %lld %*c%c %lld", &first, &a, &second, &b) != 4)
    throw Damaged("it does not say its size");
  if (first == 'Y' && second == 'X') return {b, a};
  throw NotRead("a Radiance HDR whose rows stand upright", "turn it with another program");
}

/// The header box or the codestream's SIZ segment.
StoredSize jpeg2000_size(Bytes bytes) {
  const ByteReader read(bytes, true);
  const std::size_t most = std::min<std::size_t>(bytes.size(), 65536);
  for (std::size_t at = 0; at + 12 < most; ++at) {
    if (read.is(at, "ihdr")) return {read.u32(at + 8), read.u32(at + 4)};
    if (read.is(at, std::string_view("\xFF\x4F\xFF\x51", 4)))
      return {std::int64_t{read.u32(at + 8)} - read.u32(at + 16),
              std::int64_t{read.u32(at + 12)} - read.u32(at + 20)};
  }
  throw Damaged("it does not say its size");
}

}  // namespace

StoredSize stored_size(const std::string& format, Bytes bytes) {
  if (format == "targa") return {ByteReader(bytes).u16(12), ByteReader(bytes).u16(14)};
  if (format == "psd") return {ByteReader(bytes, true).u32(18), ByteReader(bytes, true).u32(14)};
  if (format == "dpx") {
    const ByteReader read(bytes, ByteReader(bytes).is(0, "SDPX"));
    return {read.u32(772), read.u32(776)};
  }
  if (format == "hdr") return radiance_size(bytes);
  if (format == "jpeg2000") return jpeg2000_size(bytes);
  return {1, 1};  // raw files: LibRaw has limits of its own
}

std::size_t opening_bytes(const std::string& format, Bytes bytes) {
  if (format != "jpeg2000") return 0;
  constexpr std::uint64_t most_pixels = std::uint64_t{1} << 30;
  constexpr std::uint64_t a_pixel = 32;       // three or four whole numbers, twice
  constexpr std::uint64_t a_byte = 100 * 32;  // of the file: a hundred pixels
  const StoredSize size = stored_size(format, bytes);
  if (size.width < 1 || size.height < 1 || size.width > static_cast<std::int64_t>(most_pixels) / size.height)
    return 0;
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(size.width * size.height) * a_pixel,
                                 bytes.size() * a_byte);
}

}  // namespace gramflow::decode
