// The third answer beside a picture and "damaged": whole, but of a kind that is not read, by its true name.
#include <doctest/doctest.h>

#include "framework/base/error.h"
#include "nodes/image/picture_reader.h"
#include "nodes/image/readable_formats.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;
using std::string_literals::operator""s;

namespace {

std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  put_bytes(folder / "file", bytes);
  return message_of<RunError>([&] { PictureReader().info(folder / "file"); });
}

}  // namespace

TEST_CASE("pictures of other formats are called by their names, with what to do") {
  struct Case {
    std::string begins;
    std::string name;
  };
  for (const Case& c :
       {Case{"DDS |\0\0\0"s, "a DirectDraw surface (DDS), which is not read"},
        Case{"\0\0\1\0\2\0\x10\x10"s, "a Windows icon (ICO), which is not read"},
        Case{"\x0A\5\1\x08\0\0\0\0"s, "a PCX picture, which is not read"},
        Case{"\x01\xDA\1\1\0\3"s, "an SGI picture, which is not read"},
        Case{"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing, which is not read"},
        Case{"<?xml version='1.0'?>\n<!-- a drawing -->\n<svg/>", "an SVG drawing, which is not read"},
        Case{"\xEF\xBB\xBF<?xml version='1.0'?><svg/>", "an SVG drawing, which is not read"},
        Case{"gimp xcf v011\0"s, "a GIMP file (XCF), which is not read"},
        Case{"SIMPLE  =                    T", "a FITS picture, which is not read"},
        Case{"qoif\0\0\0\1"s, "a QOI picture, which is not read"},
        Case{"/* XPM */\nstatic char", "an XPM picture, which is not read"},
        Case{"#define x_width 8\n", "an X bitmap (XBM), which is not read"},
        Case{"%!PS-Adobe-3.0", "a PostScript drawing, which is not read"},
        Case{"II\xBC\x01\x08\0\0\0"s, "a JPEG XR picture, which is not read"},
        Case{"PK\3\4\x14\0"s, "a ZIP archive"},
        Case{"\0\0\0\x18"
             "ftypmp42"s,
             "a film"},
        Case{"%PDF-1.7", "a PDF document"}}) {
    CAPTURE(c.name);
    const std::string message = refusal(c.begins);
    CHECK(contains(message, c.name));
    CHECK_FALSE(contains(message, "damaged"));
    CHECK_FALSE(contains(message, "text file"));
    CHECK_FALSE(contains(message, "web page"));
  }
}

TEST_CASE("a web page and a text are still called what they are") {
  CHECK(contains(refusal("<!DOCTYPE html><html><body><svg/></body></html>"), "a web page"));
  CHECK(contains(refusal("hello\n"), "a text file"));
}

TEST_CASE("deep OpenEXR is found by its header") {
  const TemporaryFolder folder;
  write_deep_exr(folder / "deep.exr");
  CHECK(contains(message_of<RunError>([&] { PictureReader().info(folder / "deep.exr"); }),
                 "a deep OpenEXR (many samples a pixel), which is not read"));
}

TEST_CASE("JPEG of 12 bits and lossless JPEG have their names") {
  const TemporaryFolder folder;
  write_raw(folder / "a.jpg", {.width = 8, .height = 8, .samples = std::vector<float>(192, 0.5F)});
  const std::string bytes = file_bytes(folder / "a.jpg");
  const std::size_t frame = bytes.find("\xFF\xC0\0\x11"s);
  REQUIRE(frame != std::string::npos);
  std::string other = bytes;
  other[frame + 4] = 12;
  CHECK(contains(refusal(other), "a JPEG of 12 bits, which is not read"));
  other = bytes;
  other[frame + 1] = '\xC3';
  CHECK(contains(refusal(other), "a lossless or hierarchical JPEG, which is not read"));
}
