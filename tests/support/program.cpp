#include "tests/support/program.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace gramflow::test {
namespace {

/// What a program writes to one of its descriptors, kept in memory.
class Caught {
 public:
  Caught() : descriptor_(::memfd_create("caught", MFD_CLOEXEC)) { REQUIRE(descriptor_ >= 0); }
  ~Caught() { ::close(descriptor_); }
  Caught(const Caught&) = delete;
  Caught& operator=(const Caught&) = delete;
  void put_at(int other) const { ::dup2(descriptor_, other); }
  std::string text() const {
    std::string all(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)), '\0');
    REQUIRE(::pread(descriptor_, all.data(), all.size(), 0) == static_cast<::ssize_t>(all.size()));
    return all;
  }

 private:
  int descriptor_;
};

}  // namespace

ProgramResult run_gramflow(const std::string& folder, const std::string& arguments) {
  const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return run_program((here / "gramflow").string(), folder, arguments);
}

ProgramResult run_program(const std::string& program, const std::string& folder,
                          const std::string& arguments) {
  const Caught out;
  const Caught err;
  const std::string command = "cd '" + folder + "' && exec '" + program + "' " + arguments;
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    out.put_at(STDOUT_FILENO);
    err.put_at(STDERR_FILENO);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::rusage usage{};
  REQUIRE(::wait4(child, &status, 0, &usage) == child);
  ProgramResult result;
  result.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.out = out.text();
  result.err = err.text();
  result.peak_kilobytes = usage.ru_maxrss;
  return result;
}

}  // namespace gramflow::test
