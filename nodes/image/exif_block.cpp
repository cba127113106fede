// An EXIF block is a TIFF of lists of entries: tag, kind, count, value (or its place when longer than four
// bytes). It is read into two lists, the picture's and the camera's, and written anew, so that only what is
// known to be harmless and true of the new picture comes along, and nothing points anywhere else.
#include "nodes/image/exif_block.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace gramflow {
namespace {

constexpr std::uint16_t tag_description = 0x010E, tag_orientation = 0x0112, tag_software = 0x0131,
                        tag_camera_list = 0x8769, tag_version = 0x9000, tag_colour_space = 0xA001;
constexpr std::uint16_t kind_text = 2, kind_short = 3, kind_long = 4, kind_undefined = 7;

/// Of the picture's list, what is true of a new picture; everything else in it describes the file or is
/// private.
constexpr std::array<std::uint16_t, 8> kept_of_picture = {0x010E, 0x010F, 0x0110, 0x011A,
                                                          0x011B, 0x0128, 0x0132, 0x8298};
/// Of the camera's list, what is not.
constexpr std::array<std::uint16_t, 11> left_of_camera = {
    0x927C,                  // the maker's notes
    0xA002, 0xA003,          // size
    0xA005,                  // a list that says which colours are meant
    0xA001,                  // colours
    0xA430, 0xA431, 0xA435,  // owner, serial numbers of body and lens
    0xA420,                  // a number of this one picture
    0x9286,                  // the user's comment
    0xA40B,                  // the maker's settings
};

struct Entry {
  std::uint16_t kind = 0;
  std::uint32_t count = 0;
  std::vector<unsigned char> value;  ///< little-endian
};
using List = std::map<std::uint16_t, Entry>;

std::size_t size_of(std::uint16_t kind) {
  constexpr std::array<std::size_t, 13> sizes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
  return kind < sizes.size() ? sizes[kind] : 0;
}
/// The length of the numbers that a value of this kind is made of.
std::size_t unit_of(std::uint16_t kind) { return kind == 5 || kind == 10 ? 4 : size_of(kind); }

class Source {
 public:
  explicit Source(const std::vector<unsigned char>& bytes)
      : bytes_(bytes), big_(!bytes.empty() && bytes[0] == 'M') {}
  std::optional<std::uint32_t> number(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes_[big_ ? at + i : at + count - 1 - i];
    return value;
  }
  List list(std::optional<std::uint32_t> at) const {
    List found;
    const std::optional<std::uint32_t> count = at ? number(*at, 2) : std::nullopt;
    for (std::uint32_t i = 0; count && i < *count; ++i) {
      const std::size_t entry = std::size_t{*at} + 2 + 12 * std::size_t{i};
      const auto tag = number(entry, 2);
      const auto kind = number(entry + 2, 2);
      const auto values = number(entry + 4, 4);
      if (!tag || !kind || !values) break;
      const auto kind16 = static_cast<std::uint16_t>(*kind);
      const std::uint64_t length = std::uint64_t{*values} * size_of(kind16);
      if (length == 0 || length > 60000) continue;
      const std::optional<std::uint32_t> place =
          length <= 4 ? std::optional(static_cast<std::uint32_t>(entry + 8)) : number(entry + 8, 4);
      if (!place || *place > bytes_.size() || length > bytes_.size() - *place) continue;
      Entry read{kind16,
                 *values,
                 {bytes_.begin() + *place, bytes_.begin() + static_cast<std::ptrdiff_t>(*place + length)}};
      if (big_)
        for (std::size_t unit = unit_of(kind16), k = 0; k + unit <= read.value.size(); k += unit)
          std::reverse(read.value.begin() + static_cast<std::ptrdiff_t>(k),
                       read.value.begin() + static_cast<std::ptrdiff_t>(k + unit));
      found[static_cast<std::uint16_t>(*tag)] = std::move(read);
    }
    return found;
  }

 private:
  const std::vector<unsigned char>& bytes_;
  bool big_;
};

void put(std::vector<unsigned char>& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<unsigned char>(value >> (8 * i)));
}

Entry text(const std::string& words) {
  Entry entry{kind_text, static_cast<std::uint32_t>(words.size() + 1), {words.begin(), words.end()}};
  entry.value.push_back(0);
  return entry;
}
Entry number(std::uint16_t kind, std::uint32_t value) {
  Entry entry{kind, 1, {}};
  put(entry.value, value, kind == kind_short ? 2 : 4);
  return entry;
}

std::size_t length_of(const List& list) {
  std::size_t length = 2 + 12 * list.size() + 4;
  for (const auto& [tag, entry] : list)
    if (entry.value.size() > 4) length += (entry.value.size() + 1) / 2 * 2;
  return length;
}

void write(std::vector<unsigned char>& bytes, const List& list) {
  std::size_t place = bytes.size() + 2 + 12 * list.size() + 4;
  put(bytes, static_cast<std::uint32_t>(list.size()), 2);
  for (const auto& [tag, entry] : list) {
    put(bytes, tag, 2);
    put(bytes, entry.kind, 2);
    put(bytes, entry.count, 4);
    if (entry.value.size() > 4) {
      put(bytes, static_cast<std::uint32_t>(place), 4);
      place += (entry.value.size() + 1) / 2 * 2;
    } else {
      for (std::size_t i = 0; i < 4; ++i) bytes.push_back(i < entry.value.size() ? entry.value[i] : 0);
    }
  }
  put(bytes, 0, 4);  // no list follows: no thumbnail
  for (const auto& [tag, entry] : list)
    if (entry.value.size() > 4) {
      bytes.insert(bytes.end(), entry.value.begin(), entry.value.end());
      if (entry.value.size() % 2 != 0) bytes.push_back(0);
    }
}

std::vector<unsigned char> written(List picture, List camera, const std::string& software, bool srgb) {
  constexpr std::size_t head = 8;
  if (!software.empty()) picture[tag_software] = text(software);
  picture[tag_orientation] = number(kind_short, 1);
  camera[tag_version] = {kind_undefined, 4, {'0', '2', '3', '2'}};
  camera[tag_colour_space] = number(kind_short, srgb ? 1 : 0xFFFF);
  picture[tag_camera_list] = number(kind_long, 0);
  picture[tag_camera_list] = number(kind_long, static_cast<std::uint32_t>(head + length_of(picture)));
  std::vector<unsigned char> bytes = {'I', 'I', 42, 0, head, 0, 0, 0};
  write(bytes, picture);
  write(bytes, camera);
  return bytes;
}

/// Takes out the XML attribute or element whose name holds the letter at `at`; false when it is neither.
bool remove_property(std::string& words, std::size_t at) {
  const auto in_name = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == ':' || c == '_' || c == '-';
  };
  std::size_t begin = at;
  while (begin > 0 && in_name(static_cast<unsigned char>(words[begin - 1]))) --begin;
  std::size_t end = at;
  while (end < words.size() && in_name(static_cast<unsigned char>(words[end]))) ++end;
  if (begin == 0 || end == words.size()) return false;
  if (words[begin - 1] == '<') {
    const std::string closing = "</" + words.substr(begin, end - begin) + ">";
    const std::size_t close = words.find(closing, end);
    if (close == std::string::npos) return false;
    words.erase(begin - 1, close + closing.size() - (begin - 1));
    return true;
  }
  const std::size_t quote = words.find_first_of("\"'", end);
  if (std::isspace(static_cast<unsigned char>(words[begin - 1])) == 0 || quote == std::string::npos ||
      words.find_first_not_of(" \t\r\n=", end) != quote)
    return false;
  const std::size_t close = words.find(words[quote], quote + 1);
  if (close == std::string::npos) return false;
  words.erase(begin - 1, close + 1 - (begin - 1));
  return true;
}

}  // namespace

std::vector<unsigned char> new_exif(const std::string& software, const std::string& description) {
  List picture;
  if (!description.empty()) picture[tag_description] = text(description);
  return written(std::move(picture), {}, software, true);
}

std::vector<unsigned char> kept_exif(const std::vector<unsigned char>& source, const std::string& software,
                                     bool srgb) {
  const Source read(source);
  const List all = read.list(read.number(4, 4));
  List picture;
  for (const std::uint16_t tag : kept_of_picture)
    if (const auto found = all.find(tag); found != all.end()) picture.insert(*found);
  List camera;
  if (const auto found = all.find(tag_camera_list); found != all.end() && found->second.value.size() == 4) {
    const std::vector<unsigned char>& at = found->second.value;  // already little-endian
    camera = read.list(static_cast<std::uint32_t>(at[0] | at[1] << 8 | at[2] << 16) |
                       static_cast<std::uint32_t>(at[3]) << 24);
    for (const std::uint16_t tag : left_of_camera) camera.erase(tag);
  }
  return written(std::move(picture), std::move(camera), software, srgb);
}

std::vector<unsigned char> kept_xmp(const std::vector<unsigned char>& source) {
  constexpr std::size_t longest = 60000;  // what fits into a JPEG's segment
  if (source.size() > longest) return {};
  std::string words(source.begin(), source.end());
  for (const char* sign : {"GPS", "SerialNumber", "OwnerName", "Orientation", "PixelXDimension",
                           "PixelYDimension", "MakerNote", "Thumbnails"})
    for (std::size_t at = words.find(sign); at != std::string::npos; at = words.find(sign))
      if (!remove_property(words, at)) return {};
  return {words.begin(), words.end()};
}

}  // namespace gramflow
