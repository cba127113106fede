// One way to replace a file whole, wherever its name leads.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"

using namespace gramflow;
namespace fs = std::filesystem;

namespace {

/// A folder of its own, which is also the current one while this lives.
class EmptyFolder {
 public:
  EmptyFolder() : before_(fs::current_path()) {
    std::string pattern = (fs::temp_directory_path() / "gramflow-replaced-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = fs::canonical(pattern);
    fs::current_path(path_);
  }
  ~EmptyFolder() {
    fs::current_path(before_);
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  EmptyFolder(const EmptyFolder&) = delete;
  EmptyFolder& operator=(const EmptyFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path before_;
  fs::path path_;
};

void replace(const std::string& path, const std::string& text) {
  ReplacedFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string refusal(const std::string& path) {
  try {
    replace(path, "x");
  } catch (const RunError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a bare name, a relative and an absolute path are written where they say") {
  const EmptyFolder folder;
  for (const std::string path : {"bare", "./dotted", "deep/er/file", "deep/../beside"}) {
    CAPTURE(path);
    replace(path, path);
    CHECK(text_of(folder.path() / path) == path);
  }
  replace((folder.path() / "absolute").string(), "a");
  CHECK(text_of("absolute") == "a");
}

TEST_CASE("a link stays, and what it points to is replaced or made") {
  const EmptyFolder folder;
  replace("real", "old");
  fs::create_symlink("real", "to-real");
  fs::create_symlink("nothing-yet", "dangling");
  fs::create_symlink(folder.path() / "far/away", "dangling-absolute");
  fs::create_symlink("dangling", "to-dangling");
  fs::create_symlink("later", "folder-link");
  const auto through = [](const std::string& link, const std::string& file) {
    CAPTURE(link);
    replace(link, link);
    CHECK(text_of(file) == link);
    CHECK_FALSE(fs::is_symlink(file));
  };
  through("to-real", "real");
  through("dangling", "nothing-yet");
  through("to-dangling", "nothing-yet");
  through("dangling-absolute", "far/away");
  through("folder-link/inside", "later/inside");
  for (const std::string link : {"to-real", "dangling", "to-dangling", "dangling-absolute", "folder-link"})
    CHECK(fs::is_symlink(link));
}

TEST_CASE("links in a ring, folders, devices and files in a folder's place are refused by name") {
  const EmptyFolder folder;
  fs::create_symlink("b", "a");
  fs::create_symlink("a", "b");
  fs::create_directory("folder");
  replace("file", "x");
  CHECK(refusal("a").find("links lead round") != std::string::npos);
  CHECK(refusal("folder").find("there is a folder of that name") != std::string::npos);
  CHECK(refusal("/dev/null").find("not a file") != std::string::npos);
  CHECK(refusal("file/under").find("cannot be made") != std::string::npos);
}

TEST_CASE("what is not committed leaves the old file and nothing beside") {
  const EmptyFolder folder;
  replace("kept", "old");
  {
    ReplacedFile file("kept");
    file.write("new", 3);
  }
  CHECK(text_of("kept") == "old");
  CHECK(std::distance(fs::directory_iterator("."), {}) == 1);
}
