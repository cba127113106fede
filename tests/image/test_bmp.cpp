// BMP: every header, every number of bits, runs that end early.
#include <doctest/doctest.h>

#include <cmath>

#include "framework/base/error.h"
#include "nodes/image/picture_reader.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::string little(std::uint32_t value, int bytes = 4) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

struct Bmp {
  int width = 3;
  int height = 2;  // negative: from the top down
  int bits = 24;
  std::uint32_t compression = 0;
  std::uint32_t colours = 0;
  std::uint32_t header = 40;
  std::string between{};  // masks and palette
  std::string pixels{};
  std::string bytes() const {
    std::string info = little(header) + little(static_cast<std::uint32_t>(width)) +
                       little(static_cast<std::uint32_t>(height)) + little(1, 2) +
                       little(static_cast<std::uint32_t>(bits), 2) + little(compression) + little(0) +
                       little(2835) + little(2835) + little(colours) + little(0);
    if (header == 12)
      info = little(12) + little(static_cast<std::uint32_t>(width), 2) +
             little(static_cast<std::uint32_t>(height), 2) + little(1, 2) +
             little(static_cast<std::uint32_t>(bits), 2);
    const std::string rest = info + between;
    return "BM" + little(static_cast<std::uint32_t>(14 + rest.size() + pixels.size())) + little(0) +
           little(static_cast<std::uint32_t>(14 + rest.size())) + rest + pixels;
  }
};

Picture read(const Bmp& bmp) {
  const TemporaryFolder folder;
  put_bytes(folder / "a.bmp", bmp.bytes());
  return PictureReader().read(folder / "a.bmp");
}
std::string refusal(const Bmp& bmp) {
  return message_of<RunError>([&] { read(bmp); });
}

// Palette of four: black, red, green, white.
const std::string palette4 = std::string("\0\0\0\0", 4) + std::string("\0\0\xFF\0", 4) +
                             std::string("\0\xFF\0\0", 4) + std::string("\xFF\xFF\xFF\0", 4);
std::string letters(const Picture& picture) {  // one letter a pixel, rows from the top
  std::string text;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const auto p = picture.pixel(x, y);
      text += p[0] > 0.5F ? (p[1] > 0.5F ? 'w' : 'r') : p[1] > 0.5F ? 'g' : p[2] > 0.5F ? 'b' : '.';
    }
    text += '/';
  }
  return text;
}

}  // namespace

TEST_CASE("1, 2, 4 and 8 bits with a palette, from the bottom up and from the top down") {
  CHECK(letters(read({.bits = 1,
                      .colours = 2,
                      .between = palette4.substr(0, 8),
                      .pixels = std::string("\x40\0\0\0\xA0\0\0\0", 8)})) == "r.r/.r./");
  CHECK(letters(read({.bits = 2,
                      .colours = 4,
                      .between = palette4,
                      .pixels = std::string("\x18\0\0\0\xE4\0\0\0", 8)})) == "wgr/.rg/");
  CHECK(letters(read({.bits = 4,
                      .colours = 4,
                      .between = palette4,
                      .pixels = std::string("\x01\x20\0\0\x32\x10\0\0", 8)})) == "wgr/.rg/");
  const std::string rows = std::string("\0\1\2\0\3\2\1\0", 8);
  CHECK(letters(read({.bits = 8, .colours = 4, .between = palette4, .pixels = rows})) == "wgr/.rg/");
  CHECK(letters(read({.height = -2, .bits = 8, .colours = 4, .between = palette4, .pixels = rows})) ==
        ".rg/wgr/");
}

TEST_CASE("an OS/2 header has palette entries of three bytes") {
  const std::string palette = std::string("\0\0\0", 3) + std::string("\0\0\xFF", 3);
  CHECK(
      letters(read(
          {.bits = 1, .header = 12, .between = palette, .pixels = std::string("\x40\0\0\0\xA0\0\0\0", 8)})) ==
      "r.r/.r./");
}

TEST_CASE("16, 24 and 32 bits; the fourth byte of 32 is no colour, and channels lie where the masks say") {
  const auto pixel = [](const Bmp& bmp) { return read(bmp).rgb; };
  const std::vector<float> expected = {1, 0, 0.2F};
  const auto near = [&](const std::vector<float>& found) {
    for (std::size_t c = 0; c < 3; ++c) CHECK(std::abs(found[c] - expected[c]) < 0.02);
  };
  near(pixel({.width = 1, .height = 1, .bits = 16, .pixels = little(0x7C06)}));
  near(pixel({.width = 1, .height = 1, .bits = 24, .pixels = std::string("\x33\0\xFF\0", 4)}));
  for (const char* fourth : {"\0", "\x80", "\xFF"})
    near(pixel({.width = 1, .height = 1, .bits = 32, .pixels = std::string("\x33\0\xFF", 3) + fourth[0]}));
  near(pixel({.width = 1,
              .height = 1,
              .bits = 32,
              .compression = 3,
              .between = little(0xFF) + little(0xFF00) + little(0xFF0000),
              .pixels = std::string("\xFF\0\x33\0", 4)}));
  near(pixel({.width = 1,
              .height = 1,
              .bits = 16,
              .compression = 3,
              .between = little(0xF800) + little(0x7E0) + little(0x1F),
              .pixels = little(0xF806)}));
  near(pixel({.width = 1,
              .height = 1,
              .bits = 32,
              .compression = 3,
              .between = little(0x3FF00000) + little(0xFFC00) + little(0x3FF),
              .pixels = little(0x3FF00000U | 205U)}));
}

TEST_CASE("runs may end a line and the picture early, jump, and hold pixels as they are") {
  const auto rle8 = [&](const std::string& runs) {
    return letters(read({.width = 4,
                         .height = 3,
                         .bits = 8,
                         .compression = 1,
                         .colours = 4,
                         .between = palette4,
                         .pixels = runs}));
  };
  const std::string end = std::string("\0\1", 2);
  const std::string line = std::string("\0\0", 2);
  CHECK(rle8("\4\1" + line + "\4\2" + line + "\4\3" + line + end) == "wwww/gggg/rrrr/");
  CHECK(rle8("\2\1" + line + "\1\2" + line + "\4\3" + end) == "wwww/g.../rr../");
  CHECK(rle8("\4\1" + end) == "..../..../rrrr/");
  CHECK(rle8("\4\1" + line + line + "\4\3" + end) == "wwww/..../rrrr/");
  CHECK(rle8("\4\1" + line + std::string("\0\2\1\1", 4) + "\2\3" + end) == ".ww./..../rrrr/");
  CHECK(rle8(std::string("\0\4\1\2\3\1", 6) + line + std::string("\0\3\1\2\3\0", 6) + end) ==
        "..../rgw./rgwr/");
  CHECK(letters(read({.width = 4,
                      .height = 2,
                      .bits = 4,
                      .compression = 2,
                      .colours = 4,
                      .between = palette4,
                      .pixels = "\3\x12" + line + std::string("\0\4\x12\x31", 4) + end})) == "rgwr/rgr./");
  CHECK(contains(refusal({.width = 4,
                          .height = 3,
                          .bits = 8,
                          .compression = 1,
                          .colours = 4,
                          .between = palette4,
                          .pixels = "\4\1" + line}),
                 "ends early"));
}

TEST_CASE("cut and contradictory files are damaged; wrapped and unusual ones have their names") {
  CHECK(contains(refusal({.bits = 24, .pixels = std::string(20, 'x')}), "ends early"));
  CHECK(contains(refusal({.bits = 8, .colours = 4, .between = palette4, .pixels = std::string(8, '\7')}),
                 "a colour that its palette has not"));
  CHECK(contains(refusal({.bits = 0, .compression = 4, .pixels = "x"}),
                 "a BMP that wraps a JPEG, which is not read"));
  CHECK(contains(refusal({.bits = 0, .compression = 5, .pixels = "x"}),
                 "a BMP that wraps a PNG, which is not read"));
  CHECK(contains(refusal({.bits = 64, .pixels = std::string(64, 'x')}), "a BMP of 64 bits"));
}
