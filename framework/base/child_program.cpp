#include "framework/base/child_program.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>

#include "framework/base/error.h"
#include "framework/base/program_file.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

constexpr int out_of_memory_status = 4;  ///< the exit status that a child ends with when memory ran out
constexpr int seconds_to_start = 60;     ///< on a machine that is busy with other things

/// The same file at a number that no child's descriptor has, so that moving them there cannot collide.
int moved_up(int descriptor) {
  const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 16);
  ::close(descriptor);
  return moved;
}

class Closing {
 public:
  explicit Closing(int descriptor) : descriptor_(descriptor) {}
  ~Closing() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;
  operator int() const { return descriptor_; }

 private:
  int descriptor_;
};

int start(const std::string& path, int socket, int memory, ::pid_t& process) {
  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, socket, ChildProgram::socket_descriptor);
  ::posix_spawn_file_actions_adddup2(&actions, memory, ChildProgram::memory_descriptor);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, ChildProgram::memory_descriptor + 1);
  ::posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  // A group of its own: Ctrl-C at a terminal is this program's to hear, and must not end a picture half-way.
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::string name = path;
  std::array<char*, 2> arguments = {name.data(), nullptr};
  const int error = ::posix_spawn(&process, path.c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

ChildProgram::ChildProgram(const std::string& path, std::size_t shared_bytes, std::string_view greeting) {
  const auto fail = [&](const std::string& why) {
    stop();
    throw MissingResource(
        fmt::format("{} cannot be started ({}); expected the program that was built with this one; build or "
                    "install again",
                    path, why));
  };
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail(std::strerror(errno));
  socket_ = moved_up(ends[0]);
  auto theirs = std::make_unique<const Closing>(moved_up(ends[1]));
  const Closing memory(moved_up(::memfd_create("gramflow", MFD_CLOEXEC)));
  if (socket_ < 0 || *theirs < 0 || memory < 0 ||
      ::ftruncate(memory, static_cast<::off_t>(shared_bytes)) != 0)
    fail(std::strerror(errno));
  void* mapped = ::mmap(nullptr, shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (mapped == MAP_FAILED) fail(std::strerror(errno));
  shared_ = {static_cast<std::byte*>(mapped), shared_bytes};
  if (const int error = start(path, *theirs, memory, process_); error != 0) {
    process_ = -1;
    fail(std::strerror(error));
  }
  try {
    theirs.reset();  // the child holds the other end alone, so its death closes it
    if (receive(seconds_to_start) != greeting) fail("it is of another version");
  } catch (const ChildEnded& e) {
    fail(e.what());
  }
}

ChildProgram::~ChildProgram() { stop(); }

void ChildProgram::stop() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  process_ = -1;
  if (!shared_.empty()) ::munmap(shared_.data(), shared_.size());
  shared_ = {};
}

void ChildProgram::ended(const std::string& otherwise) {
  std::string why = otherwise;
  if (why.empty()) {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    if (WIFSIGNALED(status))
      why = WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU ? "it took too long"
                                                                       : ::strsignal(WTERMSIG(status));
    else
      why = WEXITSTATUS(status) == out_of_memory_status ? "it wants too much memory"
                                                        : fmt::format("exit status {}", WEXITSTATUS(status));
  }
  stop();
  throw ChildEnded(why);
}

void ChildProgram::send(std::string_view message) {
  if (process_ < 0) throw ChildEnded("it has ended before");
  ::ssize_t sent = 0;
  do {
    sent = ::send(socket_, message.data(), message.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) ended(errno == EPIPE || errno == ECONNRESET ? "" : std::strerror(errno));
}

std::string ChildProgram::receive(int seconds) {
  if (process_ < 0) throw ChildEnded("it has ended before");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::string message(1U << 16, '\0');
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    ::pollfd wait{socket_, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&wait, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) ended("it took too long");
    const ::ssize_t got = ::recv(socket_, message.data(), message.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) ended("");
    message.resize(static_cast<std::size_t>(got));
    return message;
  }
}

std::string installed_file(const std::string& name, const std::string& purpose) {
  Dl_info info{};
  std::error_code ignored;
  const bool known = ::dladdr(reinterpret_cast<const void*>(&installed_file), &info) != 0;
  const fs::path binary =
      known && info.dli_fname[0] == '/' ? fs::path(info.dli_fname) : fs::path(program_file());
  const fs::path folder = fs::weakly_canonical(binary, ignored).parent_path();
  std::string looked_for;
  for (const fs::path& place : {folder, folder.parent_path() / "lib" / "gramflow"}) {
    if (fs::exists(place / name, ignored)) return (place / name).string();
    looked_for += fmt::format("\n  looked for {}", (place / name).string());
  }
  throw MissingResource(
      fmt::format("the part of gramflow that {} is missing; put the build's {} into one of these folders{}",
                  purpose, name, looked_for));
}

}  // namespace gramflow
