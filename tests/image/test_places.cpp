// Where pictures are written, and whether they fit into their format: through the program.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

#include "framework/base/error.h"
#include "nodes/image/picture_io.h"
#include "tests/image/make_files.h"
#include "tests/support/program.h"

using namespace gramflow;
using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

std::string pipeline(const std::string& size, const std::string& output) {
  return fmt::format(
      "version: 1\nvars: {{out: {}}}\nnodes:\n  a: {{type: Noise, size: {}}}\n  save: {{type: Save, "
      "image: a, path: $out}}\n",
      output, size);
}

}  // namespace

TEST_CASE("a bare name is written into the current folder") {
  const TemporaryFolder folder;
  put_bytes(folder / "p.yaml", pipeline("8", "out/x.png"));
  fs::create_directory(folder / "empty");
  CHECK(run_gramflow(folder / "empty", "check ../p.yaml --set out=mine.png").code == 0);
  const ProgramResult run = run_gramflow(folder / "empty", "run ../p.yaml --quiet --set out=mine.png");
  CHECK_MESSAGE(run.code == 0, run.err);
  CHECK(read_picture_info(folder / "empty/mine.png").size() == PictureSize{8, 8});
}

TEST_CASE("a link to a picture that is not there yet stays a link") {
  const TemporaryFolder folder;
  put_bytes(folder / "p.yaml", pipeline("8", "latest.png"));
  fs::create_symlink("later/real.png", folder / "latest.png");
  const ProgramResult run = run_gramflow(folder.path(), "run p.yaml --quiet");
  CHECK_MESSAGE(run.code == 0, run.err);
  CHECK(fs::is_symlink(folder / "latest.png"));
  CHECK(read_picture_info(folder / "later/real.png").size() == PictureSize{8, 8});
}

TEST_CASE("a picture too large for its format is a mistake of the pipeline, in check and run alike") {
  struct Case {
    std::string size;
    std::string file;
    std::string says;  // "" when it fits
  };
  const TemporaryFolder folder;
  for (const Case& c :
       {Case{"65501 1", "a.jpg", "JPEG takes at most 65500 pixels a side"},
        Case{"1 65501", "a.jpeg", "JPEG takes at most 65500 pixels a side"}, Case{"65500 1", "b.jpg", ""},
        Case{"1 65500", "b.jpg", ""}, Case{"16384 1", "a.webp", "WEBP takes at most 16383 pixels a side"},
        Case{"1 16384", "a.webp", "WEBP takes at most 16383 pixels a side"}, Case{"16383 1", "b.webp", ""},
        Case{"1 16383", "b.webp", ""}, Case{"1000001 1", "a.png", "PNG takes at most 1000000 pixels a side"},
        Case{"1000000 1", "b.png", ""}, Case{"1 1000000", "b.png", ""}, Case{"1000001 1", "b.exr", ""},
        Case{"1 1000001", "b.exr", ""}, Case{"1000001 1", "b.tif", ""}, Case{"1 1000001", "b.bmp", ""}}) {
    CAPTURE(c.size);
    CAPTURE(c.file);
    put_bytes(folder / "in.pgm", "P5\n" + c.size + "\n255\n" + std::string(1000001, '\x40'));
    put_bytes(folder / "p.yaml",
              "version: 1\nnodes:\n  a: {type: Load, path: in.pgm}\n  save: {type: Save, image: a, path: " +
                  c.file + "}\n");
    const ProgramResult check = run_gramflow(folder.path(), "check p.yaml");
    const ProgramResult run = run_gramflow(folder.path(), "run p.yaml --quiet");
    CHECK(check.code == (c.says.empty() ? 0 : 2));
    CHECK_MESSAGE(run.code == check.code, run.err);
    CHECK(contains(run.err, c.says));
    if (!c.says.empty()) CHECK(contains(run.err, "p.yaml:4:38: error: "));
  }
  CHECK(folder.names().size() > 5);  // nothing is left beside what was written
  for (const std::string& name : folder.names()) CHECK_FALSE(contains(name, ".part"));
}

TEST_CASE("formats with offsets of 32 bits say so, and name those that do better") {
  const PictureSize large{40000, 36000};  // 4.3e9 bytes
  for (const std::string name : {"a.tif", "a.bmp"})
    CHECK(contains(size_problem(name, large), "takes at most 4"));
  CHECK(contains(size_problem("a.tif", large), "use .png, .jpg or .exr"));
  CHECK(size_problem("a.png", large, {.bits = 16}).empty());
  CHECK(contains(size_problem("a.tif", {30000, 30000}, {.bits = 16}), "takes at most"));
  CHECK(size_problem("a.tif", {30000, 30000}).empty());
}

TEST_CASE("the size that a later stage gives a picture is judged, too") {
  const TemporaryFolder folder;
  put_bytes(folder / "p.yaml",
            "version: 1\nvars: {width: 10}\nnodes:\n  a: {type: Noise, size: [$width, 1]}\n"
            "  save: {type: Save, image: a, path: a.webp}\nschedule:\n  - {set: {width: 10}}\n  - {set: "
            "{width: 20000}}\n");
  const ProgramResult check = run_gramflow(folder.path(), "check p.yaml");
  CHECK(check.code == 2);
  CHECK(contains(check.err, "the picture is 20000x1"));
}
