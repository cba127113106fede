// Every make of TIFF is read right, or refused by its true name when the pipeline is checked.
#include <doctest/doctest.h>

#include "framework/base/error.h"
#include "nodes/image/picture_reader.h"
#include "tests/image/make_files.h"
#include "tests/image/make_tiff.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

struct Layout {
  int tile_width;
  int tile_height;
  int rows_per_strip;
};

/// Calls `test` with every combination that a TIFF can have.
template <class Test>
void for_each_tiff(const Test& test) {
  for (const Layout& layout :
       {Layout{0, 0, 1}, {0, 0, 7}, {0, 0, 64}, {0, 0, 1000}, {16, 16, 0}, {48, 32, 0}, {16, 128, 0}})
    for (const bool planes : {false, true})
      for (const char* colours : {"grey", "inverted", "rgb", "cmyk", "palette"})
        for (const int alpha : {0, 1, 2})
          for (const int bits : {1, 2, 4, 8, 16, -16, -32})
            for (const char* compression : {"none", "lzw", "zip", "packbits", "jpeg"})
              for (const int height : {20, 65}) {
                TiffFile file;
                file.height = height;
                file.tile_width = layout.tile_width;
                file.tile_height = layout.tile_height;
                file.rows_per_strip = layout.rows_per_strip;
                file.planes = planes;
                file.colours = colours;
                file.alpha = alpha;
                file.bits = std::abs(bits);
                file.floats = bits < 0;
                file.compression = compression;
                const bool palette = file.colours == "palette";
                const bool jpeg = file.compression == "jpeg";
                if (palette && (file.floats || file.bits == 16 || alpha == 1)) continue;
                if (file.colours == "cmyk" && file.floats) continue;  // refused, see below
                if (jpeg && (palette || file.bits != 8 || alpha != 0)) continue;
                if (jpeg && layout.rows_per_strip % 8 != 0 && layout.rows_per_strip < height) continue;
                if (jpeg && layout.tile_width == 0 && layout.rows_per_strip > height && planes) continue;
                test(file);
              }
}

std::string refusal(const TiffFile& file) {
  const TemporaryFolder folder;
  write_tiff(folder / "a.tif", file);
  return message_of<RunError>([&] { PictureReader().info(folder / "a.tif"); });
}

}  // namespace

TEST_CASE("strips and tiles, planes, colours, alpha, bits and compression: each is read exactly") {
  const TemporaryFolder folder;
  PictureReader reader;
  int count = 0;
  for_each_tiff([&](const TiffFile& file) {
    const Picture expected = write_tiff(folder / "a.tif", file);
    const Picture found = reader.read(folder / "a.tif");
    const double tolerance = file.compression == "jpeg" ? 4.5 : file.alpha == 1 ? 1e-2 : 1e-3;
    if (!(difference(found, expected) < tolerance)) {
      FAIL_CHECK(file.name());
      MESSAGE(difference(found, expected));
    }
    ++count;
  });
  CHECK(count > 4000);
}

TEST_CASE("few and odd bits are read exactly") {
  const TemporaryFolder folder;
  PictureReader reader;
  for (const int bits : {3, 5, 6, 7, 10, 12, 14, 20, 32})
    for (const char* colours : {"grey", "rgb"})
      for (const bool planes : {false, true}) {
        TiffFile file;
        file.bits = bits;
        file.colours = colours;
        file.planes = planes;
        CAPTURE(file.name());
        const Picture expected = write_tiff(folder / "a.tif", file);
        CHECK(difference(reader.read(folder / "a.tif"), expected) < 1e-3);
      }
}

TEST_CASE("what a TIFF can be and is not read has its true name, and is not called damaged") {
  TiffFile file;
  file.is_signed = true;
  CHECK(contains(refusal(file),
                 "a TIFF of signed whole numbers, which is not read, though the file seems to be whole"));
  file = {};
  file.colours = "cmyk";
  file.bits = 32;
  file.floats = true;
  CHECK(contains(refusal(file), "a CMYK TIFF of floats, which is not read"));
}

TEST_CASE("a TIFF that is cut anywhere is refused, or whole") {
  const TemporaryFolder folder;
  PictureReader reader;
  TiffFile file;
  for (const bool tiles : {false, true})
    for (const char* compression : {"none", "lzw", "zip", "packbits", "jpeg"}) {
      file.tile_width = file.tile_height = tiles ? 16 : 0;
      file.compression = compression;
      const Picture expected = write_tiff(folder / "a.tif", file);
      const std::string bytes = file_bytes(folder / "a.tif");
      for (std::size_t length = 1; length < bytes.size(); length += 41) {
        put_bytes(folder / "cut.tif", bytes.substr(0, length));
        Picture found;
        if (message_of<RunError>([&] { found = reader.read(folder / "cut.tif"); }).empty())
          CHECK(difference(found, expected) < 4.5);
      }
    }
}
