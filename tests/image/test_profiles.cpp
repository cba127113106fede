// Colours that are not sRGB's become so, as lcms2 itself would do it; and may stay what they are when
// written.
#include <doctest/doctest.h>

#include <cmath>

#include "framework/base/error.h"
#include "nodes/image/exif_block.h"
#include "nodes/image/picture_reader.h"
#include "tests/image/make_files.h"
#include "tests/image/make_profile.h"
#include "tests/image/make_tiff.h"
#include "tests/support/program.h"

using namespace gramflow;
using namespace gramflow::test;
using std::string_literals::operator""s;

namespace {

double worst_of(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(double{a[i]} - double{b[i]}) * 255);
  return worst;
}

/// A JPEG of a colourful picture with the profile inside; `muted`: without colours at the border of what sRGB
/// holds.
void write_jpeg_with(const std::string& path, const std::string& icc, int channels, bool muted = false) {
  Picture picture = sample_picture(64, 48);
  if (muted)
    for (float& value : picture.rgb) value = 0.3F + 0.4F * value;
  std::vector<float> samples;
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3)
    samples.insert(samples.end(), picture.rgb.begin() + static_cast<std::ptrdiff_t>(i),
                   picture.rgb.begin() + static_cast<std::ptrdiff_t>(i) + channels);
  write_raw(path, {.width = 64, .height = 48, .channels = channels, .samples = samples});
  if (!icc.empty()) put_bytes(path, with_jpeg_segment(file_bytes(path), 0xE2, "ICC_PROFILE\0\1\1"s + icc));
}

bool has_note(const PictureInfo& info, const std::string& part) {
  for (const std::string& note : info.notes)
    if (contains(note, part)) return true;
  return false;
}

std::string text_of(const std::vector<unsigned char>& bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

TEST_CASE("ten profiles: 8-bit JPEG and 16-bit TIFF come out within a step of lcms2's own floats") {
  const TemporaryFolder folder;
  PictureReader reader;
  for (const NamedProfile& profile : profiles()) {
    CAPTURE(profile.name);
    TiffFile file;
    file.bits = 16;
    file.colours = profile.channels == 1 ? "grey" : profile.channels == 3 ? "rgb" : "cmyk";
    file.profile = "";
    if (profile.channels != 4) {
      write_jpeg_with(folder / "plain.jpg", "", profile.channels);
      write_jpeg_with(folder / "a.jpg", profile.icc, profile.channels);
      const Picture plain = reader.read(folder / "plain.jpg");
      std::vector<float> in;
      for (std::size_t i = 0; i < plain.rgb.size(); i += 3)
        in.insert(in.end(), plain.rgb.begin() + static_cast<std::ptrdiff_t>(i),
                  plain.rgb.begin() + static_cast<std::ptrdiff_t>(i) + profile.channels);
      CHECK(worst_of(reader.read(folder / "a.jpg").rgb, to_srgb(profile, in)) <= 1);
      const Picture known = write_tiff(folder / "plain.tif", file);
      in.clear();
      for (std::size_t i = 0; i < known.rgb.size(); i += 3)
        in.insert(in.end(), known.rgb.begin() + static_cast<std::ptrdiff_t>(i),
                  known.rgb.begin() + static_cast<std::ptrdiff_t>(i) + profile.channels);
      file.profile = profile.icc;
      write_tiff(folder / "a.tif", file);
      CHECK(worst_of(reader.read(folder / "a.tif").rgb, to_srgb(profile, in)) <= 0.05);
      CHECK(reader.info(folder / "a.tif").notes.empty());
    } else {
      file.profile = profile.icc;
      file.bits = 8;
      write_tiff(folder / "a.tif", file);
      CHECK(reader.info(folder / "a.tif").notes.empty());
      // White paper and one full ink.
      const std::vector<float> inks = to_srgb(profile, {0, 0, 0, 0, 1, 0, 0, 0});
      const Picture found = reader.read(folder / "a.tif");
      CHECK(difference(found, write_tiff(folder / "plain.tif", [&] {
                         file.profile = "";
                         return file;
                       }())) > 5);
      CHECK(inks[0] > 0.99F);
    }
  }
}

TEST_CASE("a profile that means sRGB changes no bit and says nothing") {
  const TemporaryFolder folder;
  write_picture(folder / "tagged.jpg", sample_picture(64, 48));  // what gramflow writes is tagged
  const PictureInfo info = PictureReader().info(folder / "tagged.jpg");
  CHECK_FALSE(info.profile.empty());
  CHECK(info.notes.empty());
  std::string bytes = file_bytes(folder / "tagged.jpg");
  const std::size_t mark = bytes.find("ICC_PROFILE");
  REQUIRE(mark != std::string::npos);
  bytes[mark] = 'X';
  put_bytes(folder / "bare.jpg", bytes);
  CHECK(PictureReader().info(folder / "bare.jpg").profile.empty());
  CHECK(PictureReader().read(folder / "bare.jpg").rgb == PictureReader().read(folder / "tagged.jpg").rgb);
}

TEST_CASE("a broken profile, and one of another kind of colour, are ignored with a warning") {
  const TemporaryFolder folder;
  write_jpeg_with(folder / "plain.jpg", "", 3);
  for (const std::string& icc :
       {std::string(200, 'x'), profiles().back().icc, profiles()[0].icc.substr(0, 200)}) {
    write_jpeg_with(folder / "a.jpg", icc, 3);
    CHECK(has_note(PictureReader().info(folder / "a.jpg"), "colour profile is broken or of another kind"));
    CHECK(PictureReader().read(folder / "a.jpg").rgb == PictureReader().read(folder / "plain.jpg").rgb);
  }
}

TEST_CASE("PNG's colour chunks and EXIF's Adobe RGB mark are honoured as the profiles that they mean") {
  const TemporaryFolder folder;
  write_raw(folder / "plain.png", {.width = 2, .height = 1, .samples = {0.8F, 0.4F, 0.2F, 0.1F, 0.5F, 0.9F}});
  std::string plain = file_bytes(folder / "plain.png");
  for (const std::string chunk : {"sRGB", "gAMA", "cHRM", "iCCP"})
    REQUIRE(plain.find(chunk) == std::string::npos);
  const std::vector<float> values = PictureReader().read(folder / "plain.png").rgb;
  const auto read_with = [&](const std::string& name, const std::string& data) {
    put_bytes(folder / "a.png", with_png_chunk(plain, name, data));
    return PictureReader().read(folder / "a.png").rgb;
  };
  CHECK(worst_of(read_with("gAMA", big_endian(100000)), to_srgb(profiles()[6], values)) <= 1);
  CHECK(read_with("gAMA", big_endian(45455)) == values);
  CHECK(worst_of(read_with("cICP", "\x0C\x0D\0\1"s), to_srgb(profiles()[0], values)) <= 1);
  CHECK(read_with("cICP", "\1\x0D\0\1"s) == values);
  write_jpeg_with(folder / "plain.jpg", "", 3);
  const std::vector<float> jpeg = PictureReader().read(folder / "plain.jpg").rgb;
  const std::string exif = "Exif\0\0MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x1A\0\0\0\0"s +
                           "\0\2\xA0\1\0\3\0\0\0\1\xFF\xFF\0\0\xA0\5\0\4\0\0\0\1\0\0\0\x38\0\0\0\0"s +
                           "\0\1\0\1\0\2\0\0\0\4R03\0\0\0\0\0"s;
  put_bytes(folder / "a.jpg", with_jpeg_segment(file_bytes(folder / "plain.jpg"), 0xE1, exif));
  CHECK(worst_of(PictureReader().read(folder / "a.jpg").rgb, to_srgb(profiles()[1], jpeg)) <= 1);
}

TEST_CASE("profile: keep writes the source's colours and profile; Display P3 stays Display P3") {
  const TemporaryFolder folder;
  const NamedProfile p3 = profiles()[0];
  write_jpeg_with(folder / "p3.jpg", p3.icc, 3, true);
  for (const std::string name : {"out.png", "out.tif", "out.webp", "out.jpg"}) {
    CAPTURE(name);
    put_bytes(
        folder / "p.yaml",
        "version: 1\nnodes:\n  pic: {type: Load, path: p3.jpg}\n  save: {type: Save, image: pic, path: " +
            name + ", quality: 100, source: pic, profile: keep}\n");
    const ProgramResult run = run_gramflow(folder.path(), "run p.yaml --quiet");
    REQUIRE_MESSAGE(run.code == 0, run.err);
    CHECK(text_of(read_picture_info(folder / name).profile) == p3.icc);
    const double tolerance = name == "out.webp" ? 40 : name == "out.jpg" ? 5 : 1.5;
    CHECK(difference(read_picture(folder / name), read_picture(folder / "p3.jpg")) < tolerance);
  }
}

TEST_CASE(
    "keep without a source, of what is no Load, or into a format without a place is a mistake told by "
    "check") {
  const TemporaryFolder folder;
  write_jpeg_with(folder / "p3.jpg", profiles()[0].icc, 3);
  const auto check = [&](const std::string& save) {
    put_bytes(folder / "p.yaml",
              "version: 1\nnodes:\n  pic: {type: Load, path: p3.jpg}\n  other: {type: Resize, image: pic, "
              "size: 8}\n  save: {type: Save, image: other, " +
                  save + "}\n");
    const ProgramResult result = run_gramflow(folder.path(), "check p.yaml");
    CHECK(result.code == 2);
    return result.err;
  };
  CHECK(contains(check("path: a.png, profile: keep"), "does not say whose"));
  CHECK(contains(check("path: a.png, metadata: keep"), "does not say whose"));
  CHECK(contains(check("path: a.png, profile: keep, source: other"), "expected a Load"));
  CHECK(contains(check("path: a.exr, profile: keep, source: pic"), "has no place in .exr"));
  CHECK(contains(check("path: a.bmp, profile: keep, source: pic"), "has no place in .bmp"));
}

TEST_CASE("metadata: keep brings camera and date along, upright, without place, serial number and owner") {
  const auto entry = [](int tag, int kind, std::uint32_t count, std::uint32_t value) {
    return big_endian(static_cast<std::uint32_t>(tag), 2) + big_endian(static_cast<std::uint32_t>(kind), 2) +
           big_endian(count) + big_endian(value);
  };
  // The picture's list at 8 (five entries), the camera's at 100, texts from 200 on.
  std::string exif = "MM\0*\0\0\0\x08"s + big_endian(5, 2) + entry(0x010F, 2, 7, 200) +
                     entry(0x0112, 3, 1, 6U << 16) + entry(0x0132, 2, 20, 210) + entry(0x8769, 4, 1, 100) +
                     entry(0x8825, 4, 1, 300) + big_endian(0);
  exif.resize(100);
  exif += big_endian(3, 2) + entry(0xA430, 2, 6, 232) + entry(0xA431, 2, 6, 240) + entry(0xA434, 2, 8, 250) +
          big_endian(0);
  exif.resize(200);
  exif += "Maker1\0"s;
  exif.resize(210);
  exif += "2024:05:06 07:08:09\0"s;
  exif.resize(232);
  exif += "Owner\0"s;
  exif.resize(240);
  exif += "12345\0"s;
  exif.resize(250);
  exif += "Lens 50\0"s;
  exif.resize(300);
  exif += big_endian(1, 2) + entry(1, 2, 2, 0x4E000000) + big_endian(0);
  const std::string xmp =
      "<x:xmpmeta><rdf:Description exif:GPSLatitude=\"1,2N\" aux:SerialNumber='99' "
      "dc:title=\"Tree\"/></x:xmpmeta>";
  const TemporaryFolder folder;
  write_jpeg_with(folder / "plain.jpg", "", 3);
  std::string jpeg =
      with_jpeg_segment(file_bytes(folder / "plain.jpg"), 0xE1, "http://ns.adobe.com/xap/1.0/\0"s + xmp);
  put_bytes(folder / "a.jpg", with_jpeg_segment(jpeg, 0xE1, "Exif\0\0"s + exif));
  CHECK(read_picture_info(folder / "a.jpg").orientation == 6);
  for (const std::string name : {"out.jpg", "out.png", "out.webp"})
    for (const std::string metadata : {"keep", "none", "provenance"}) {
      CAPTURE(name);
      CAPTURE(metadata);
      put_bytes(
          folder / "p.yaml",
          "version: 1\nnodes:\n  pic: {type: Load, path: a.jpg}\n  save: {type: Save, image: pic, path: " +
              name + ", source: pic, metadata: " + metadata + "}\n");
      const ProgramResult run = run_gramflow(folder.path(), "run p.yaml --quiet");
      REQUIRE_MESSAGE(run.code == 0, run.err);
      const PictureInfo info = read_picture_info(folder / name);
      const std::string all = file_bytes(folder / name);
      const bool keep = metadata == "keep";
      CHECK(info.orientation == 1);
      for (const char* text : {"Maker1", "2024:05:06 07:08:09", "Lens 50", "Tree"})
        CHECK(contains(all, text) == keep);
      for (const char* text : {"Owner", "12345", "GPSLatitude", "SerialNumber"})
        CHECK_FALSE(contains(all, text));
      CHECK(contains(all, "gramflow") == (metadata != "none"));
    }
}

TEST_CASE("broken EXIF and XMP make no harm when they are kept") {
  for (std::size_t length = 0; length < 60; ++length) {
    std::vector<unsigned char> bytes(length, 0xFF);
    if (length > 2) bytes[0] = bytes[1] = 'I';
    CHECK(kept_exif(bytes, "x", true).size() > 20);
    kept_xmp(bytes);
  }
  const std::string odd = "<a GPSx='1'";
  CHECK(kept_xmp({odd.begin(), odd.end()}).size() < odd.size());
  const std::string open = "x GPS=\"never closed";
  CHECK(kept_xmp({open.begin(), open.end()}).empty());
}
