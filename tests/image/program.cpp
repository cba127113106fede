#include "tests/image/program.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/image/make_files.h"

namespace gramflow::test {
namespace fs = std::filesystem;

ProgramResult run_gramflow(const std::string& folder, const std::string& arguments) {
  const TemporaryFolder answers;
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "gramflow";
  const std::string command = "cd '" + folder + "' && exec '" + program.string() + "' " + arguments + " >'" +
                              (answers / "out") + "' 2>'" + (answers / "err") + "'";
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::rusage usage{};
  REQUIRE(::wait4(child, &status, 0, &usage) == child);
  ProgramResult result;
  result.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.out = file_bytes(answers / "out");
  result.err = file_bytes(answers / "err");
  result.peak_kilobytes = usage.ru_maxrss;
  return result;
}

}  // namespace gramflow::test
