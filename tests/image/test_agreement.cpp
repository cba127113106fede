// check and run say the same about every file; nothing is called fine that then fails.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "nodes/image/picture_io.h"
#include "tests/image/make_files.h"
#include "tests/support/program.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const std::string identity =
    "version: 1\nvars: {in: x}\nnodes:\n  pic: {type: Load, path: $in}\n  save: {type: Save, image: pic, "
    "path: out.png}\n";

}  // namespace

TEST_CASE("a picture that is cut behind its header is found by check, at its node, with run's exit code") {
  const TemporaryFolder folder;
  put_bytes(folder / "p.yaml", identity);
  for (const std::string name : {"a.png", "a.jpg", "a.tif", "a.exr", "a.webp", "a.bmp"}) {
    CAPTURE(name);
    write_picture(folder / name, sample_picture(200, 200));
    const std::string whole = "--set in=" + name;
    CHECK(run_gramflow(folder.path(), "check p.yaml " + whole).code == 0);
    CHECK(run_gramflow(folder.path(), "run p.yaml --quiet " + whole).code == 0);
    const std::string bytes = file_bytes(folder / name);
    put_bytes(folder / "cut", bytes.substr(0, bytes.size() * 9 / 10));
    const ProgramResult check = run_gramflow(folder.path(), "check p.yaml --set in=cut");
    const ProgramResult run = run_gramflow(folder.path(), "run p.yaml --quiet --set in=cut");
    CHECK(check.code == 1);
    CHECK(run.code == 1);
    CHECK(contains(check.err, "damaged or cut short"));
    CHECK_FALSE(contains(check.out, "no mistakes"));
  }
}

TEST_CASE("libraries print nothing, whatever the file") {
  const TemporaryFolder folder;
  put_bytes(folder / "p.yaml", identity);
  for (const std::string name : {"a.png", "a.jpg", "a.tif"}) {
    write_picture(folder / name, sample_picture(60, 60));
    std::string bytes = file_bytes(folder / name);
    for (std::size_t at = 60; at < bytes.size(); at += 97) bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    put_bytes(folder / "odd", bytes);
    const ProgramResult run = run_gramflow(folder.path(), "run p.yaml --quiet --set in=odd");
    CHECK(run.out.empty());
    for (const char* noise : {"libpng", "TIFFRead", "TIFFFetch", "JPEGLib", "Warning, "})
      CHECK_FALSE(run.err.starts_with(noise));
    CHECK(run.err.find('\n') != std::string::npos);
  }
}

TEST_CASE("a short file that claims a huge picture costs check little memory") {
  const TemporaryFolder folder;
  put_bytes(folder / "p.yaml", identity);
  std::string jpeg("\xFF\xD8\xFF\xC2\0\x0B\x08\x80\xE8\x80\xE8\1\1\x11\0\xFF\xDA\0\x08\1\1\0\0\0\0", 25);
  put_bytes(folder / "big.jpg", jpeg + std::string(500, '\0'));
  const ProgramResult check = run_gramflow(folder.path(), "check p.yaml --set in=big.jpg");
  CHECK(check.code == 1);
  CHECK(check.peak_kilobytes < 200 * 1024);
}

TEST_CASE("the memory figure counts what encoders take: forecast and peak agree within 5 % + 40 MiB") {
  const TemporaryFolder folder;
  for (const std::string name : {"a.png", "a.jpg", "a.tif", "a.exr", "a.webp", "a.bmp"}) {
    CAPTURE(name);
    put_bytes(
        folder / "p.yaml",
        "version: 1\nnodes:\n  a: {type: Noise, size: [2400, 1800]}\n  s: {type: Save, image: a, path: " +
            name + "}\n");
    const ProgramResult run = run_gramflow(folder.path(), "run p.yaml --quiet --log log");
    REQUIRE_MESSAGE(run.code == 0, run.err);
    const std::string log = file_bytes(folder / "log");
    const std::string key = "\"planned_bytes\":";
    const std::size_t at = log.find(key);
    REQUIRE(at != std::string::npos);
    const double planned = std::stod(log.substr(at + key.size()));
    const double peak = static_cast<double>(run.peak_kilobytes) * 1024;
    CHECK(std::abs(planned - peak) <= 0.05 * planned + 40.0 * 1024 * 1024);
  }
}
