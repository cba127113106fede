// The other side may not start, be of another build, crash, hang or be ended: each is told, and none hurts.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "framework/base/child_program.h"
#include "framework/base/error.h"

using namespace gramflow;
namespace fs = std::filesystem;

namespace {

/// A child of a few lines of shell, which speaks at descriptor 3.
class Script {
 public:
  explicit Script(const std::string& lines) {
    std::string pattern = (fs::temp_directory_path() / "gramflow-child-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    std::ofstream(path()) << "#!/bin/sh\n" << lines << "\n";
    REQUIRE(::chmod(path().c_str(), 0700) == 0);
  }
  ~Script() { fs::remove_all(folder_); }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  std::string path() const { return (folder_ / "child").string(); }

 private:
  fs::path folder_;
};

std::string cannot_start(const std::string& path) {
  try {
    const ChildProgram child(path, 4096, "hello");
  } catch (const MissingResource& e) {
    return e.what();
  }
  return "";
}

std::string end_of(const std::string& lines, int seconds = 20) {
  const Script script("printf hello >&3; head -c 1 <&3 >/dev/null; " + lines);
  ChildProgram child(script.path(), 4096, "hello");
  child.send("x");
  try {
    child.receive(seconds);
  } catch (const ChildEnded& e) {
    CHECK_THROWS_AS(child.send("x"), ChildEnded);
    return e.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("messages and shared memory go both ways") {
  const Script script(
      "printf hello >&3; head -c 4 <&3 | tr a-z A-Z >&3; printf done | dd of=/dev/fd/4 conv=notrunc "
      "2>/dev/null; printf end >&3");
  ChildProgram child(script.path(), 4096, "hello");
  child.send("word");
  CHECK(child.receive(20) == "WORD");
  CHECK(child.receive(20) == "end");
  CHECK(std::string(reinterpret_cast<const char*>(child.shared().data()), 4) == "done");
}

TEST_CASE("a program that is not there, is none, or is of another build cannot be started") {
  CHECK(has(cannot_start("/nowhere/child"), "cannot be started (No such file or directory)"));
  CHECK(has(cannot_start("/"), "cannot be started (Permission denied)"));
  const Script silent("exit 127");
  CHECK(has(cannot_start(silent.path()), "cannot be started (exit status 127)"));
  const Script other("printf hullo >&3; sleep 5");
  CHECK(has(cannot_start(other.path()), "cannot be started (it is of another version)"));
}

TEST_CASE("how a child ended is told") {
  CHECK(end_of("kill -SEGV $$") == "Segmentation fault");
  CHECK(end_of("kill -ALRM $$") == "it took too long");
  CHECK(end_of("exit 4") == "it wants too much memory");
  CHECK(end_of("exit 1") == "exit status 1");
  CHECK(end_of("sleep 30", 1) == "it took too long");
}

TEST_CASE("what a child prints is not seen, and it gets no other files of ours") {
  const Script script("echo noise; echo noise >&2; printf hello >&3; ls /proc/self/fd | tr '\\n' ' ' >&3");
  const int kept = ::dup(1);
  ChildProgram child(script.path(), 4096, "hello");
  CHECK(has(child.receive(20), "0 1 2 3 4"));
  ::close(kept);
}
