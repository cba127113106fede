// Files made to do harm, or harmed: gramflow lives, in little memory, and says what is the matter; what is
// whole in them is read.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "framework/base/error.h"
#include "nodes/image/picture_reader.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;
using std::string_literals::operator""s;

namespace {

/// A progressive JPEG's header of this size, with one empty scan.
std::string progressive_claiming(int width, int height, int components) {
  std::string frame = "\x08"s + big_endian(static_cast<std::uint32_t>(height), 2) +
                      big_endian(static_cast<std::uint32_t>(width), 2) + static_cast<char>(components);
  std::string scan(1, static_cast<char>(components));
  for (int i = 1; i <= components; ++i) {
    frame += static_cast<char>(i) + "\x11\0"s;
    scan += static_cast<char>(i) + "\0"s;
  }
  return "\xFF\xD8\xFF\xC2"s + big_endian(static_cast<std::uint32_t>(frame.size() + 2), 2) + frame +
         "\xFF\xDA" + big_endian(static_cast<std::uint32_t>(scan.size() + 5), 2) + scan + "\0\0\0"s +
         std::string(400, '\0') + "\xFF\xD9";
}

std::vector<int> children() {
  std::vector<int> found;
  std::ifstream file(fmt::format("/proc/self/task/{}/children", ::getpid()));
  for (int child = 0; file >> child;) found.push_back(child);
  return found;
}

std::string refusal(PictureReader& reader, const std::string& path) {
  return message_of<RunError>([&] { reader.read(path); });
}

}  // namespace

TEST_CASE("a short JPEG that claims a large picture is refused by its header") {
  const TemporaryFolder folder;
  PictureReader reader;
  for (const int components : {1, 3, 4})
    for (const auto& [width, height] :
         {std::pair{33000, 32000}, {65500, 16000}, {16000, 65500}, {10000, 10000}}) {
      put_bytes(folder / "a.jpg", progressive_claiming(width, height, components));
      const std::string message = message_of<RunError>([&] { reader.info(folder / "a.jpg"); });
      CHECK(contains(message, "bytes cannot hold"));
    }
}

TEST_CASE("other readers' favourites: nested XMP, broken profiles and EXIF, zero attributes do no harm") {
  const TemporaryFolder folder;
  const Picture picture = sample_picture(20, 10);
  write_picture(folder / "a.png", picture);
  write_picture(folder / "a.jpg", picture);
  const std::string png = file_bytes(folder / "a.png");
  const std::string jpeg = file_bytes(folder / "a.jpg");
  const Picture as_jpeg = PictureReader().read(folder / "a.jpg");
  std::string nested;
  for (int i = 0; i < 50000; ++i) nested += "<rdf:li><rdf:Bag>";
  PictureReader reader;
  const auto check_png = [&](const std::string& bytes) {
    put_bytes(folder / "b.png", bytes);
    CHECK(reader.read(folder / "b.png").rgb == reader.read(folder / "a.png").rgb);
  };
  const auto check_jpeg = [&](const std::string& bytes) {
    put_bytes(folder / "b.jpg", bytes);
    CHECK(reader.read(folder / "b.jpg").rgb == as_jpeg.rgb);
  };
  check_png(with_png_chunk(png, "iTXt", "XML:com.adobe.xmp\0\0\0\0\0<?xpacket?><x:xmpmeta>"s + nested));
  check_png(with_png_chunk(png, "eXIf", "II*\0\xFF\xFF\xFF\xFF"s));
  check_png(with_png_chunk(png, "zTXt", "Comment\0\0not zlib"s));
  check_jpeg(with_jpeg_segment(jpeg, 0xE1, "http://ns.adobe.com/xap/1.0/\0"s + nested.substr(0, 60000)));
  check_jpeg(with_jpeg_segment(
      jpeg, 0xE1,
      "Exif\0\0MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08\0\0\0\x08"s));  // a list in itself
  check_jpeg(with_jpeg_segment(jpeg, 0xE1, "Exif\0\0II"s));
  std::string profile = std::string(300, 'x');
  check_jpeg(with_jpeg_segment(jpeg, 0xE2, "ICC_PROFILE\0\1\1"s + profile));
  check_jpeg(with_jpeg_segment(jpeg, 0xE2, "ICC_PROFILE\0\1\x09"s + profile));  // one of nine pieces
  check_jpeg(with_jpeg_segment(jpeg, 0xE2, "ICC_PROFILE\0\0\0"s));
  const PictureInfo info = reader.info(folder / "b.jpg");
  REQUIRE(info.notes.size() == 1);
  CHECK(contains(info.notes[0], "colour profile is broken"));
  for (const std::string attribute : {"tiff:RowsPerStrip", "oiio:RowsPerStrip"}) {
    write_raw(folder / "a.exr", {.width = 3,
                                 .height = 2,
                                 .sample = "half",
                                 .samples = std::vector<float>(18, 1),
                                 .attributes = {{"abcd" + attribute.substr(4), 7}}});
    std::string bytes = file_bytes(folder / "a.exr");
    const std::size_t value = bytes.find("abcd" + attribute.substr(4) + "\0int\0\4\0\0\0\7"s);
    REQUIRE(value != std::string::npos);
    bytes.replace(value, 4, attribute, 0, 4);  // OpenImageIO would not write such a name
    bytes[value + attribute.size() + 9] = 0;
    put_bytes(folder / "a.exr", bytes);
    CHECK(reader.read(folder / "a.exr").rgb == std::vector<float>(18, 1));
  }
}

TEST_CASE(
    "a JPEG with padding between its segments is read, with a warning; leftovers in its scan are damage") {
  const TemporaryFolder folder;
  write_picture(folder / "a.jpg", sample_picture(40, 30));
  const std::string jpeg = file_bytes(folder / "a.jpg");
  PictureReader reader;
  const Picture whole = reader.read(folder / "a.jpg");
  const std::size_t tables = jpeg.rfind("\xFF\xDB\0"s);
  const std::size_t frame = jpeg.rfind("\xFF\xC0\0"s);
  const std::size_t scan = jpeg.rfind("\xFF\xDA\0"s);
  for (const std::size_t at : {tables, frame, scan})
    for (const std::string& padding : {"\0"s, "\0\0\0\0"s, "stray"s}) {
      put_bytes(folder / "b.jpg", jpeg.substr(0, at) + padding + jpeg.substr(at));
      CHECK(reader.read(folder / "b.jpg").rgb == whole.rgb);
      const PictureInfo info = reader.info(folder / "b.jpg");
      REQUIRE(info.notes.size() == 1);
      CHECK(contains(info.notes[0], "stray bytes between its segments"));
    }
  put_bytes(folder / "b.jpg",
            jpeg.substr(0, jpeg.size() - 2) + std::string(7, '\0') + jpeg.substr(jpeg.size() - 2));
  CHECK(reader.read(folder / "b.jpg").rgb == whole.rgb);
  put_bytes(folder / "b.jpg", jpeg.substr(0, jpeg.size() - 2) + "leftover" + jpeg.substr(jpeg.size() - 2));
  CHECK(contains(refusal(reader, folder / "b.jpg"), "damaged"));
}

TEST_CASE("one child serves all pictures, and is started anew when it was ended") {
  const TemporaryFolder folder;
  write_picture(folder / "a.png", sample_picture(20, 10));
  PictureReader reader;
  const Picture first = reader.read(folder / "a.png");
  const std::vector<int> one = children();
  REQUIRE(one.size() == 1);
  CHECK(reader.read(folder / "a.png").rgb == first.rgb);
  CHECK(children() == one);
  ::kill(one[0], SIGKILL);
  CHECK(reader.read(folder / "a.png").rgb == first.rgb);
  CHECK(children().size() == 1);
  CHECK(children() != one);
}

TEST_CASE("bytes changed at random never end gramflow, and hardly ever its child") {
  const TemporaryFolder folder;
  PictureReader reader;
  std::uint32_t seed = 1;
  const auto random = [&](std::size_t below) {
    seed = seed * 1664525U + 1013904223U;
    return static_cast<std::size_t>((std::uint64_t{seed} * below) >> 32);
  };
  for (const std::string name : {"a.png", "a.jpg", "a.tif", "a.exr", "a.webp", "a.bmp"}) {
    write_picture(folder / name, sample_picture(30, 20));
    const std::string bytes = file_bytes(folder / name);
    for (int i = 0; i < 150; ++i) {
      std::string other = bytes;
      for (std::size_t change = 0; change <= random(8); ++change)
        other[random(other.size())] = static_cast<char>(random(256));
      put_bytes(folder / "b", other);
      refusal(reader, folder / "b");
    }
  }
  CHECK(reader.read(folder / "a.png").width == 30);
}
