// EXIF is a small TIFF: a list of entries of 12 bytes (tag, type, count, value or its place), with lists
// within the list. Only the first list, the camera's and its interoperability list are looked at, each entry
// once, so nothing can loop.
#include "nodes/image/decode/exif.h"

#include <algorithm>

#include "nodes/image/decode/byte_reader.h"

namespace gramflow::decode {
namespace {

constexpr std::uint16_t tag_description = 0x010E, tag_orientation = 0x0112, tag_software = 0x0131,
                        tag_camera = 0x8769, tag_colour_space = 0xA001, tag_interoperability = 0xA005,
                        tag_index = 0x0001;

class Exif {
 public:
  explicit Exif(Bytes bytes) : read_(bytes, !bytes.empty() && bytes[0] == 'M') {}
  ExifFacts facts() {
    list(read_.u32(4), 0);
    facts_.adobe_rgb = colour_space_ == 2 || (colour_space_ != 1 && index_ == "R03");
    return facts_;
  }

 private:
  std::string text(std::uint64_t entry) const {
    const std::uint32_t count = read_.u32(entry + 4);
    const std::uint64_t at = count <= 4 ? entry + 8 : read_.u32(entry + 8);
    const Bytes letters = read_.part(at, count);
    std::string found(letters.begin(), std::find(letters.begin(), letters.end(), 0));
    while (!found.empty() && found.back() == ' ') found.pop_back();
    return found;
  }
  void list(std::uint64_t at, int depth) {
    const unsigned count = read_.u16(at);
    for (unsigned i = 0; i < count; ++i) {
      try {
        entry(at + 2 + 12 * std::uint64_t{i}, depth);
      } catch (const Damaged&) {  // the next entry may be fine
      }
    }
  }
  void entry(std::uint64_t at, int depth) {
    const std::uint16_t tag = read_.u16(at);
    if (depth == 0 && tag == tag_orientation) {
      const int value = read_.u16(at + 8);
      if (value >= 1 && value <= 8) facts_.orientation = value;
    }
    if (depth == 0 && tag == tag_software) facts_.software = text(at);
    if (depth == 0 && tag == tag_description) facts_.description = text(at);
    if (depth == 0 && tag == tag_camera) list(read_.u32(at + 8), 1);
    if (depth == 1 && tag == tag_colour_space) colour_space_ = read_.u16(at + 8);
    if (depth == 1 && tag == tag_interoperability) list(read_.u32(at + 8), 2);
    if (depth == 2 && tag == tag_index) index_ = text(at);
  }
  ByteReader read_;
  ExifFacts facts_;
  int colour_space_ = 0;
  std::string index_;
};

constexpr std::string_view marker("Exif\0\0", 6);

}  // namespace

ExifFacts read_exif(Bytes exif) {
  if (ByteReader(exif).is(0, marker)) exif = exif.subspan(marker.size());
  try {
    return Exif(exif).facts();
  } catch (const Damaged&) {
    return {};
  }
}

void take_exif(Header& header, Bytes exif) {
  if (ByteReader(exif).is(0, marker)) exif = exif.subspan(marker.size());
  const ExifFacts facts = read_exif(exif);
  header.exif.assign(exif.begin(), exif.end());
  header.orientation = facts.orientation;
  if (header.software.empty()) header.software = facts.software;
  if (header.description.empty()) header.description = facts.description;
  if (facts.adobe_rgb && header.profile.empty() && !header.has_primaries) {
    header.has_primaries = true;
    header.primaries = {{0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06}, 563.0 / 256};
  }
}

}  // namespace gramflow::decode
