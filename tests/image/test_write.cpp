// Writing: round trips, what is kept, and never half a picture.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <limits>

#include "framework/base/error.h"
#include "nodes/image/noise.h"
#include "nodes/image/picture_io.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

Picture written_and_read(const Picture& picture, const std::string& name, const WriteOptions& options = {}) {
  const TemporaryFolder folder;
  write_picture(folder / name, picture, options);
  return read_picture(folder / name);
}

std::string check_error(const std::string& path, const WriteOptions& options = {}) {
  return message_of<RunError>([&] { check_writable(path, options); });
}

// While it lives, no file of this process may grow beyond `bytes`: a disk that is full.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

}  // namespace

TEST_CASE("lossless formats return what was written, rounded to the nearest step") {
  const Picture picture = noise(31, 17, {.seed = 8});
  for (const std::string name : {"a.png", "a.tif", "a.tiff", "a.bmp", "A.PNG"}) {
    CAPTURE(name);
    CHECK(difference(written_and_read(picture, name), picture) <= 0.5 + 1e-3);
  }
  CHECK(difference(written_and_read(picture, "a.png", {.bits = 16}), picture) <= 0.5 / 257 + 1e-4);
  CHECK(difference(written_and_read(picture, "a.tif", {.bits = 16}), picture) <= 0.5 / 257 + 1e-4);
}

TEST_CASE("EXR keeps the picture through linear light and back") {
  const Picture picture = noise(31, 17, {.seed = 8});
  CHECK(difference(written_and_read(picture, "a.exr"), picture) < 0.07);
  CHECK(difference(written_and_read(picture, "a.exr", {.bits = 32}), picture) < 1e-3);
}

TEST_CASE("JPEG and WebP come close, closer with more quality") {
  const Picture picture = sample_picture(64, 48);
  CHECK(difference(written_and_read(picture, "a.jpg"), picture) < 12);
  CHECK(difference(written_and_read(picture, "a.webp"), picture) < 40);
  const TemporaryFolder folder;
  write_picture(folder / "low.jpg", noise(64, 64, {}), {.quality = 20});
  write_picture(folder / "high.jpg", noise(64, 64, {}), {.quality = 98});
  CHECK(fs::file_size(folder / "low.jpg") * 3 < fs::file_size(folder / "high.jpg"));
}

TEST_CASE("values outside [0, 1] are clamped and NaN is black") {
  Picture picture(PictureSize{1, 1});
  picture.rgb = {-3, 7, std::numeric_limits<float>::quiet_NaN()};
  for (const std::string name : {"a.png", "a.exr"})
    CHECK(written_and_read(picture, name).rgb == std::vector<float>{0, 1, 0});
}

TEST_CASE("software and description are kept") {
  const TemporaryFolder folder;
  for (const std::string name : {"a.png", "a.jpg", "a.tif", "a.exr"}) {
    CAPTURE(name);
    write_picture(folder / name, sample_picture(8, 8),
                  {.software = "gramflow 0.1.0", .description = "pipeline 0123abcd"});
    const PictureInfo info = read_picture_info(folder / name);
    CHECK(info.software == "gramflow 0.1.0");
    CHECK(info.description == "pipeline 0123abcd");
  }
}

TEST_CASE("the same picture gives the same file") {
  const TemporaryFolder folder;
  for (const std::string ending : {".png", ".jpg", ".exr", ".webp"}) {  // TIFF holds the time
    CAPTURE(ending);
    write_picture(folder / ("a" + ending), sample_picture(40, 30));
    write_picture(folder / ("b" + ending), sample_picture(40, 30));
    CHECK(file_bytes(folder / ("a" + ending)) == file_bytes(folder / ("b" + ending)));
  }
}

TEST_CASE("a missing output folder is made") {
  const TemporaryFolder folder;
  check_writable(folder / "out/deep/result.png");
  CHECK(fs::is_directory(folder / "out/deep"));
  write_picture(folder / "other/result.png", sample_picture(4, 4));
  CHECK(fs::exists(folder / "other/result.png"));
}

TEST_CASE("checking leaves nothing behind and an old picture untouched") {
  const TemporaryFolder folder;
  put_bytes(folder / "result.png", "old");
  check_writable(folder / "result.png");
  CHECK(folder.names() == std::vector<std::string>{"result.png"});
  CHECK(file_bytes(folder / "result.png") == "old");
}

TEST_CASE("what cannot be written is told before the run") {
  const TemporaryFolder folder;
  put_bytes(folder / "file", "x");
  fs::create_directory(folder / "taken.png");
  CHECK(contains(check_error(folder / "file/result.png"), "cannot be made"));
  CHECK(contains(check_error(folder / "taken.png"), "there is a folder of that name"));
  CHECK(contains(check_error("/proc/result.png"), "takes no new files"));
  CHECK(contains(check_error(folder / "result"), "no ending"));
  CHECK(contains(check_error(folder / "result.pgn"),
                 "'.pgn' is not a format that is written; expected one of .png"));
  CHECK(contains(check_error(folder / "result.jpg", {.bits = 16}),
                 "16 bits a channel cannot be written to .jpg"));
  CHECK(contains(check_error(folder / "result.jpg", {.quality = 0}), "quality 0"));
  CHECK(writing_problem("out/result.png").empty());
}

TEST_CASE("a full disk leaves the old picture and no rubbish") {
  const TemporaryFolder folder;
  write_picture(folder / "result.png", sample_picture(8, 8));
  const std::string before = file_bytes(folder / "result.png");
  std::string message;
  {
    const SmallDisk disk(4096);
    message = message_of<RunError>([&] { write_picture(folder / "result.png", noise(200, 200, {})); });
  }
  CHECK(contains(message, "could not be written"));
  CHECK(file_bytes(folder / "result.png") == before);
  CHECK(folder.names() == std::vector<std::string>{"result.png"});
}

TEST_CASE("writing replaces the old picture by a new file, so whoever has the old one open keeps it whole") {
  const TemporaryFolder folder;
  write_picture(folder / "result.png", sample_picture(8, 8));
  fs::create_hard_link(folder / "result.png", folder / "reader");
  const std::string before = file_bytes(folder / "reader");
  write_picture(folder / "result.png", noise(50, 50, {}));
  CHECK(file_bytes(folder / "reader") == before);
  CHECK(folder.names() == std::vector<std::string>{"reader", "result.png"});
}

TEST_CASE("a link to a picture stays a link") {
  const TemporaryFolder folder;
  write_picture(folder / "real.png", sample_picture(8, 8));
  fs::create_symlink("real.png", folder / "latest.png");
  write_picture(folder / "latest.png", sample_picture(9, 9));
  CHECK(fs::is_symlink(folder / "latest.png"));
  CHECK(read_picture_info(folder / "real.png").size() == PictureSize{9, 9});
}
