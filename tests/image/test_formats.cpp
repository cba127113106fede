// Whatever a file holds becomes sRGB RGB in [0, 1], in a defined way.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "nodes/image/picture_io.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

constexpr double exact = 1e-4;  // of one 8-bit step: float rounding only

void check_pixel(const Picture& picture, int x, int y, float r, float g, float b, double tolerance = 1e-6) {
  const auto pixel = picture.pixel(x, y);
  CHECK(std::abs(pixel[0] - r) <= tolerance);
  CHECK(std::abs(pixel[1] - g) <= tolerance);
  CHECK(std::abs(pixel[2] - b) <= tolerance);
}

bool notes_mention(const PictureInfo& info, const std::string& part) {
  for (const auto& note : info.notes)
    if (contains(note, part)) return true;
  return false;
}

}  // namespace

TEST_CASE("grey is repeated into red, green and blue") {
  const TemporaryFolder folder;
  for (const std::string name : {"grey.png", "grey.tif", "grey.jpg"}) {
    CAPTURE(name);
    write_raw(folder / name, {.width = 2, .height = 1, .channels = 1, .samples = {0.2F, 0.8F}});
    CHECK(read_picture_info(folder / name).channels == 1);
    const Picture picture = read_picture(folder / name);
    for (int x = 0; x < 2; ++x)
      check_pixel(picture, x, 0, picture.pixel(x, 0)[0], picture.pixel(x, 0)[0], picture.pixel(x, 0)[0], 0);
    CHECK(picture.pixel(1, 0)[2] == doctest::Approx(0.8).epsilon(0.02));
  }
}

TEST_CASE("alpha is left out and the colour beneath it kept, even where it is fully transparent") {
  const TemporaryFolder folder;
  for (const std::string name : {"alpha.png", "alpha.tif"}) {
    CAPTURE(name);
    write_raw(folder / name, {.width = 2,
                              .height = 1,
                              .channels = 4,
                              .unassociated_alpha = true,
                              .samples = {0.6F, 0.4F, 0.2F, 0.4F, 1, 0, 1, 0}});
    const PictureInfo info = read_picture_info(folder / name);
    CHECK(info.alpha);
    CHECK(notes_mention(info, "transparency is left out"));
    check_pixel(read_picture(folder / name), 0, 0, 0.6F, 0.4F, 0.2F);
    check_pixel(read_picture(folder / name), 1, 0, 1, 0, 1);
  }
}

TEST_CASE("grey with alpha is grey") {
  const TemporaryFolder folder;
  write_raw(folder / "ga.png",
            {.width = 1, .height = 1, .channels = 2, .unassociated_alpha = true, .samples = {0.6F, 0.2F}});
  check_pixel(read_picture(folder / "ga.png"), 0, 0, 0.6F, 0.6F, 0.6F);
}

TEST_CASE("16-bit samples keep their precision") {
  const TemporaryFolder folder;
  const float fine = 12345.0F / 65535;
  for (const std::string name : {"fine.png", "fine.tif"}) {
    CAPTURE(name);
    write_raw(folder / name, {.width = 1, .height = 1, .sample = "uint16", .samples = {fine, 0, 1}});
    CHECK(read_picture_info(folder / name).bits == 16);
    check_pixel(read_picture(folder / name), 0, 0, fine, 0, 1, 1e-7);
  }
}

TEST_CASE("half floats are linear light: mid-grey is brightened, highlights are clamped, NaN is black") {
  const TemporaryFolder folder;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  write_raw(folder / "light.exr", {.width = 3,
                                   .height = 1,
                                   .sample = "half",
                                   .samples = {0.25F, 0, 1, 5, -1, 0.0025F, nan, infinity, 0.5F}});
  const PictureInfo info = read_picture_info(folder / "light.exr");
  CHECK(info.floating);
  CHECK(info.bits == 16);
  CHECK(notes_mention(info, "linear light"));
  const Picture picture = read_picture(folder / "light.exr");
  check_pixel(picture, 0, 0, 0.5370987F, 0, 1, 1e-6);  // 1.055 * 0.25^(1/2.4) - 0.055
  check_pixel(picture, 1, 0, 1, 0, 0.0025F * 12.92F, 1e-4);
  check_pixel(picture, 2, 0, 0, 1, 0.7353570F, 1e-6);
}

TEST_CASE("EXR colour that was multiplied by alpha is divided by it") {
  const TemporaryFolder folder;
  write_raw(folder / "a.exr", {.width = 2,
                               .height = 1,
                               .channels = 4,
                               .sample = "float",
                               .samples = {0.125F, 0.25F, 0.5F, 0.5F, 0, 0, 0, 0}});
  check_pixel(read_picture(folder / "a.exr"), 0, 0, 0.5370987F, 0.7353570F, 1, 1e-6);
  check_pixel(read_picture(folder / "a.exr"), 1, 0, 0, 0, 0);
}

TEST_CASE("EXR channels are found by name among many, in tiles too") {
  const TemporaryFolder folder;
  RawFile file{.width = 40, .height = 40, .channels = 5, .sample = "float", .tile = 16};
  file.channel_names = {"B", "depth", "G", "R", "zone"};
  for (int i = 0; i < 1600; ++i) file.samples.insert(file.samples.end(), {0.25F, 99, 1, 0, 7});
  write_raw(folder / "many.exr", file);
  const Picture picture = read_picture(folder / "many.exr");
  check_pixel(picture, 0, 0, 0, 1, 0.5370987F, 1e-6);
  check_pixel(picture, 39, 39, 0, 1, 0.5370987F, 1e-6);
  CHECK(notes_mention(read_picture_info(folder / "many.exr"), "channels other than"));
}

TEST_CASE("EXR colour is found inside a layer when there is none outside") {
  const TemporaryFolder folder;
  RawFile file{.width = 1, .height = 1, .channels = 5, .sample = "float", .samples = {9, 0.25F, 1, 0, 7}};
  file.channel_names = {"depth.Z", "beauty.B", "beauty.G", "beauty.R", "mask.R"};
  write_raw(folder / "layers.exr", file);
  check_pixel(read_picture(folder / "layers.exr"), 0, 0, 0, 1, 0.5370987F, 1e-6);
}

TEST_CASE("an EXR of brightness and colour differences is read as grey, and says so") {
  const TemporaryFolder folder;
  RawFile file{.width = 1, .height = 1, .channels = 3, .sample = "float", .samples = {0.3F, 0.4F, 0.25F}};
  file.channel_names = {"BY", "RY", "Y"};
  write_raw(folder / "luma.exr", file);
  check_pixel(read_picture(folder / "luma.exr"), 0, 0, 0.5370987F, 0.5370987F, 0.5370987F, 1e-6);
  CHECK(notes_mention(read_picture_info(folder / "luma.exr"), "as grey"));
}

TEST_CASE("a CMYK JPEG is converted to RGB") {
  const std::string path = GRAMFLOW_SOURCE_DIR "/tests/image/data/cmyk.jpg";
  const PictureInfo info = read_picture_info(path);
  CHECK(notes_mention(info, "CMYK"));
  const Picture picture = read_picture(path);
  CHECK(picture.size() == PictureSize{16, 16});
  check_pixel(picture, 2, 8, 200 / 255.0F, 100 / 255.0F, 50 / 255.0F, 3.0 / 255);
  check_pixel(picture, 13, 8, 20 / 255.0F, 60 / 255.0F, 220 / 255.0F, 3.0 / 255);
}

TEST_CASE("EXIF orientation is applied: all eight show the same scene") {
  // A 3x2 scene with six different greys, stored the way each tag says, must be read upright again.
  const int scene[2][3] = {{10, 60, 110}, {150, 200, 250}};
  // For each tag: where the stored row 0 and column 0 are seen (TIFF 6.0, tag 274).
  const auto seen = [&](int tag, int x, int y) {
    switch (tag) {
      case 2:
        return scene[y][2 - x];
      case 3:
        return scene[1 - y][2 - x];
      case 4:
        return scene[1 - y][x];
      case 5:
        return scene[x][y];
      case 6:
        return scene[x][2 - y];
      case 7:
        return scene[1 - x][2 - y];
      case 8:
        return scene[1 - x][y];
      default:
        return scene[y][x];
    }
  };
  const TemporaryFolder folder;
  for (int tag = 1; tag <= 8; ++tag) {
    CAPTURE(tag);
    RawFile file{.width = tag >= 5 ? 2 : 3, .height = tag >= 5 ? 3 : 2, .orientation = tag};
    for (int y = 0; y < file.height; ++y)
      for (int x = 0; x < file.width; ++x)
        file.samples.insert(file.samples.end(), 3, static_cast<float>(seen(tag, x, y)) / 255);
    write_raw(folder / "turned.tif", file);
    CHECK(read_picture_info(folder / "turned.tif").size() == PictureSize{3, 2});
    const Picture picture = read_picture(folder / "turned.tif");
    REQUIRE(picture.size() == PictureSize{3, 2});
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 3; ++x) CHECK(std::lround(picture.pixel(x, y)[0] * 255) == scene[y][x]);
  }
}

TEST_CASE("a file is known by its content, not by its name") {
  const TemporaryFolder folder;
  write_picture(folder / "a.png", sample_picture(9, 7));
  std::filesystem::rename(folder / "a.png", folder / "a.jpg");
  CHECK(read_picture_info(folder / "a.jpg").format == "png");
  CHECK(difference(read_picture(folder / "a.jpg"), sample_picture(9, 7)) < exact);
}

TEST_CASE("a picture taller than one portion of rows is read whole") {
  const TemporaryFolder folder;
  write_picture(folder / "tall.png", sample_picture(5, 333));
  CHECK(difference(read_picture(folder / "tall.png"), sample_picture(5, 333)) < exact);
}
