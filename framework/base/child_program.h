#pragma once
// A program of our own that is started to do what must not endanger this one, and spoken to over a socket and
// a block of shared memory. It is started by exec, never by fork alone, so threads and interpreters in this
// process do not matter. What it prints is thrown away: libraries' messages help nobody; ours come over the
// socket.
#include <sys/types.h>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gramflow {

/// The other side is gone or silent. The text says why: "segmentation fault", "it took too long", "it wants
/// too much memory".
class ChildEnded : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Used by one thread at a time. The child finds the socket at descriptor 3 and the shared memory at 4, and
/// must send one message when it is ready. It is ended and waited for by the destructor.
class ChildProgram {
 public:
  static constexpr int socket_descriptor = 3;
  static constexpr int memory_descriptor = 4;

  /// Throws MissingResource when the program cannot be started or does not greet with `greeting`.
  ChildProgram(const std::string& path, std::size_t shared_bytes, std::string_view greeting);
  ~ChildProgram();
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;

  std::span<std::byte> shared() const { return shared_; }
  /// Messages are whole or not at all, and short (64 KiB). Both throw ChildEnded; nothing can be asked
  /// afterwards.
  void send(std::string_view message);
  std::string receive(int seconds);

 private:
  void stop();
  [[noreturn]] void ended(const std::string& otherwise);
  int socket_ = -1;
  ::pid_t process_ = -1;
  std::span<std::byte> shared_;
};

/// A file that is installed with the program (or library) that holds this code: beside it, or in
/// ../lib/gramflow. Throws MissingResource that names `purpose` and the places looked in.
std::string installed_file(const std::string& name, const std::string& purpose);

}  // namespace gramflow
