// Every way a picture file can be wrong has a message of its own, and nothing is read half.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "framework/base/error.h"
#include "nodes/image/picture_io.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

constexpr double exact = 1e-4;  // of one 8-bit step: float rounding only

std::string run_error(const std::string& path) {
  return message_of<RunError>([&] { read_picture(path); });
}
std::string missing(const std::string& path) {
  return message_of<MissingResource>([&] { read_picture_info(path); });
}

// A PNG whose header is valid in form and claims this size.
std::string png_claiming(std::uint32_t width, std::uint32_t height) {
  using namespace std::string_literals;
  const std::string start = "\x89PNG\r\n\x1A\n";
  const std::string header = big_endian(width) + big_endian(height) + "\x08\x02\x00\x00\x00"s;
  const auto chunk = [](const std::string& name, const std::string& data) {
    return with_png_chunk(std::string(33, ' '), name, data).substr(33);
  };
  return start + chunk("IHDR", header) + chunk("IDAT", "");
}

}  // namespace

TEST_CASE("a missing picture is a missing resource, with the place looked in and the nearest name") {
  const TemporaryFolder folder;
  put_bytes(folder / "content.jpg", "x");
  const std::string message = missing(folder / "contnet.jpg");
  CHECK(contains(message, folder / "contnet.jpg"));
  CHECK(contains(message, "there is no such picture"));
  CHECK(contains(message, "content.jpg'"));
}

TEST_CASE("a missing folder is named") {
  const TemporaryFolder folder;
  CHECK(contains(missing(folder / "nowhere/content.jpg"),
                 "the folder " + folder / "nowhere" + " does not exist"));
}

TEST_CASE("a folder is not a picture") {
  const TemporaryFolder folder;
  CHECK(contains(missing(folder.path()), "this is a folder"));
}

TEST_CASE("an empty file is said to be empty") {
  const TemporaryFolder folder;
  put_bytes(folder / "empty.png", "");
  CHECK(contains(run_error(folder / "empty.png"), "the file is empty"));
}

TEST_CASE("a file that is no picture is described") {
  const TemporaryFolder folder;
  const auto message_for = [&](const std::string& bytes) {
    put_bytes(folder / "picture.jpg", bytes);
    return run_error(folder / "picture.jpg");
  };
  CHECK(contains(message_for("hello there\n"), "this is a text file"));
  CHECK(contains(message_for("<!DOCTYPE html><title>404</title>"), "this is a web page"));
  CHECK(contains(message_for("version https://git-lfs.github.com/spec/v1\n"), "Git LFS pointer"));
  CHECK(contains(message_for("%PDF-1.7"), "PDF"));
  CHECK(contains(message_for(std::string("\0\0\0\x18"
                                         "ftypheic",
                                         12)),
                 "HEIC"));
  CHECK(contains(message_for("\x01\x02\x03\x04"), "not a picture of a known format"));
}

TEST_CASE("a truncated picture is never accepted, wherever it is cut") {
  const TemporaryFolder folder;
  for (const std::string name :
       {"whole.png", "whole.jpg", "whole.tif", "whole.exr", "whole.webp", "whole.bmp"}) {
    CAPTURE(name);
    write_picture(folder / name, sample_picture(50, 70));
    const std::string bytes = file_bytes(folder / name);
    const Picture whole = read_picture(folder / name);
    int refused = 0;
    const std::size_t step = bytes.size() / 97 + 1;
    for (std::size_t length = 1; length < bytes.size(); length += step) {
      put_bytes(folder / "cut", bytes.substr(0, length));
      Picture read;
      if (!message_of<RunError>([&] { read = read_picture(folder / "cut"); }).empty()) {
        ++refused;
      } else {  // a cut behind the last pixel, inside a PNG's end mark: then every pixel must be there
        CHECK(read.rgb == whole.rgb);
      }
    }
    CHECK(refused > 45);
  }
}

TEST_CASE("a truncated JPEG says that it was cut short") {
  const TemporaryFolder folder;
  write_picture(folder / "photo.jpg", sample_picture(200, 200));
  const std::string bytes = file_bytes(folder / "photo.jpg");
  put_bytes(folder / "photo.jpg", bytes.substr(0, bytes.size() / 2));
  CHECK(read_picture_info(folder / "photo.jpg").size() == PictureSize{200, 200});
  CHECK(contains(run_error(folder / "photo.jpg"), "damaged or cut short"));
}

TEST_CASE("one pixel is a legal picture") {
  const TemporaryFolder folder;
  write_picture(folder / "one.png", sample_picture(1, 1));
  CHECK(difference(read_picture(folder / "one.png"), sample_picture(1, 1)) < exact);
}

TEST_CASE("a header without pixels is refused") {
  const TemporaryFolder folder;
  put_bytes(folder / "flat.png", png_claiming(0, 5));
  CHECK(contains(run_error(folder / "flat.png"), "flat.png: the PNG"));
  put_bytes(folder / "flat.ppm", "P6\n0 4\n255\n");
  CHECK(contains(run_error(folder / "flat.ppm"), "flat.ppm: the PNM"));
}

TEST_CASE("a header with absurd dimensions is refused before any memory is asked for") {
  const TemporaryFolder folder;
  put_bytes(folder / "huge.png", png_claiming(900000, 900000));
  CHECK(contains(run_error(folder / "huge.png"), "900000x900000"));
  CHECK_FALSE(message_of<RunError>([&] { read_picture_info(folder / "huge.png"); }).empty());
  put_bytes(folder / "huge.ppm", "P6\n2147483647 2147483647\n255\n");
  CHECK_FALSE(run_error(folder / "huge.ppm").empty());
}

TEST_CASE("a picture that changed since it was planned for is noticed") {
  const TemporaryFolder folder;
  write_picture(folder / "a.png", sample_picture(8, 6));
  std::vector<float> memory(PictureSize{6, 8}.floats());
  const auto message = message_of<RunError>([&] { read_picture(folder / "a.png", memory, {6, 8}); });
  CHECK(contains(message, "8x6; expected 6x8"));
}
