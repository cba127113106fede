// Who is at work on a file, and what those leave who were killed.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "framework/base/error.h"
#include "framework/base/output_lock.h"
#include "framework/base/replaced_file.h"
#include "framework/base/stale_files.h"
#include "framework/base/terminal_text.h"
#include "tests/support/temporary_folder.h"

using namespace gramflow;
using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

/// A process that does something and is then killed.
template <class What>
void killed_after(What what) {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const ::pid_t child = ::fork();
  if (child == 0) {
    what();
    (void)!::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char letter = 0;
  REQUIRE(::read(ready[0], &letter, 1) == 1);
  ::close(ready[0]);
  ::close(ready[1]);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
}

}  // namespace

TEST_CASE("the second is told who the first is; nothing is left when both are gone") {
  const TemporaryFolder folder;
  {
    const OutputLock first(folder / "sub/a.png", "process 12, pipeline p.yaml");
    CHECK_THROWS_WITH_AS(OutputLock(folder / "sub/a.png", "me"),
                         doctest::Contains("process 12, pipeline p.yaml"), MissingResource);
    CHECK_NOTHROW(OutputLock(folder / "sub/b.png", "me"));
  }
  CHECK_NOTHROW(OutputLock(folder / "sub/a.png", "me"));
  CHECK(folder.names() == std::vector<std::string>{"sub"});
}

TEST_CASE("a link and what it leads to are one file") {
  const TemporaryFolder folder;
  fs::create_symlink("real.png", folder / "link.png");
  const OutputLock first(folder / "link.png", "me");
  CHECK_THROWS_AS(OutputLock(folder / "real.png", "me"), MissingResource);
}

TEST_CASE("a lock dies with its process, and its file and temporaries go with the next start") {
  const TemporaryFolder folder;
  killed_after([&] {
    new OutputLock(folder / "a.png", "the one that is killed");
    auto* half = new ReplacedFile(folder / "a.png");
    half->write("half", 4);
  });
  CHECK(folder.names().size() == 2);
  CHECK_NOTHROW(OutputLock(folder / "a.png", "the next"));
  killed_after([&] { new OutputLock(folder / "b.png", "killed, too"); });
  remove_stale_files(folder.path());
  CHECK(folder.names().empty());
}

TEST_CASE("what is in use stays, and so does what only looks alike") {
  const TemporaryFolder folder;
  const OutputLock lock(folder / "a.png", "me");
  ReplacedFile file(folder / "a.png");
  for (const char* name :
       {".a.png.12-0.part", ".a.gramflow-x-0.part", "a.gramflow-99999999-0.part", ".gramflow-lock.txt"})
    std::ofstream(folder / name) << "mine";
  const std::vector<std::string> before = folder.names();
  remove_stale_files(folder.path());
  CHECK(folder.names() == before);
  file.commit();
}

TEST_CASE("what goes to a terminal moves no cursor and sets no title") {
  CHECK(terminal_text("a\x1b]0;title\x07\nb\x9b"
                      "c")
            .find_first_of("\x1b\x07\x9b") == std::string::npos);
  CHECK(terminal_text("two\nlines") == "two\nlines");
}
