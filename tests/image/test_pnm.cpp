// Netpbm's formats: any maximum, any spacing, text and bytes, exactly.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "framework/base/error.h"
#include "nodes/image/picture_reader.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::vector<float> read(const std::string& bytes) {
  const TemporaryFolder folder;
  put_bytes(folder / "a.pnm", bytes);
  return PictureReader().read(folder / "a.pnm").rgb;
}
std::string refusal(const std::string& bytes) {
  return message_of<RunError>([&] { read(bytes); });
}
std::vector<float> grey(const std::vector<double>& values) {
  std::vector<float> rgb;
  for (const double value : values) rgb.insert(rgb.end(), 3, static_cast<float>(value));
  return rgb;
}
void check_near(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) < 1e-7);
}

}  // namespace

TEST_CASE("a text bitmap's digits may stand without blanks, in lines of any length, with comments") {
  const std::vector<float> expected = grey({1, 0, 1, 0, 0, 1});
  CHECK(read("P1\n3 2\n010\n110\n") == expected);
  CHECK(read("P1\n3 2\n010110") == expected);
  CHECK(read("P1\n3 2\n0 1 0 1\n1 0\n") == expected);
  CHECK(read("P1\n# made by GIMP\n3 # wide\n2\n01\n0 # a row\n110\n") == expected);
  CHECK(read(std::string("P4\n3 2\n\x40\xC0", 9)) == expected);
  CHECK(contains(refusal("P1\n3 2\n012\n110\n"), "other than 0 and 1"));
  CHECK(contains(refusal("P1\n3 2\n01011"), "ends early"));
}

TEST_CASE("every maximum from 1 to 65535 is white, and the levels between are exact") {
  for (const int most : {1, 2, 3, 7, 25, 99, 100, 127, 254, 255, 256, 1000, 1023, 4095, 32767, 65534, 65535})
    for (const bool text : {false, true}) {
      CAPTURE(most);
      const std::vector<int> levels = {0, 1, most / 4, most / 2, most - 1, most};
      std::string bytes = fmt::format("P{}\n6 1\n{}\n", text ? 2 : 5, most);
      std::vector<double> expected;
      for (const int level : levels) {
        if (text) bytes += fmt::format("{} ", level);
        if (!text && most > 255) bytes += static_cast<char>(level >> 8);
        if (!text) bytes += static_cast<char>(level & 255);
        expected.push_back(static_cast<double>(level) / most);
      }
      check_near(read(bytes), grey(expected));
    }
}

TEST_CASE("colour in text and bytes, of 8 and 16 bits") {
  const std::vector<float> expected = {1, 0.5F, 0, 0, 0.25F, 1};
  check_near(read("P3\n2 1\n100\n100 50 0\n0 25 100\n"), expected);
  check_near(read(std::string("P6 2 1 100\n\x64\x32\0\0\x19\x64", 17)), expected);
  check_near(read(std::string("P6 2 1 1000 \3\xE8\1\xF4\0\0\0\0\0\xFA\3\xE8", 24)), expected);
}

TEST_CASE("PAM is read as grey or colour, with or without alpha") {
  const auto pam = [](int depth, const std::string& kind, const std::string& data) {
    return fmt::format("P7\nWIDTH 1\nHEIGHT 1\n# c\nDEPTH {}\nMAXVAL 255\n{}ENDHDR\n", depth,
                       kind.empty() ? "" : "TUPLTYPE " + kind + "\n") +
           data;
  };
  CHECK(read(pam(1, "GRAYSCALE", "\xFF")) == grey({1}));
  CHECK(read(pam(2, "GRAYSCALE_ALPHA", std::string("\xFF\0", 2))) == grey({1}));
  CHECK(read(pam(3, "RGB", std::string("\xFF\0\xFF", 3))) == std::vector<float>{1, 0, 1});
  CHECK(read(pam(4, "RGB_ALPHA", std::string("\xFF\0\xFF\0", 4))) == std::vector<float>{1, 0, 1});
  CHECK(read(pam(3, "", std::string("\xFF\0\xFF", 3))) == std::vector<float>{1, 0, 1});
  CHECK(contains(refusal(pam(4, "CMYK", "1234")), "a PAM of 4 channels called CMYK, which is not read"));
  CHECK(contains(refusal(pam(9, "", "123456789")), "a PAM of 9 channels"));
}

TEST_CASE("samples above the maximum, absurd headers and missing samples are refused") {
  CHECK(contains(refusal("P2\n2 1\n10\n3 11\n"), "above its maximum of 10"));
  CHECK(contains(refusal("P5\n2 1\n65536\n...."), "its maximum is 65536"));
  CHECK(contains(refusal("P5\n2 x\n255\n...."), "its height is 'x'"));
  CHECK(contains(refusal("P5\n2 2\n255\n..."), "ends early"));
  CHECK(contains(refusal("P5\n2 2147483648\n255\n..."), "its height is '2147483648'"));
}
