#include "framework/base/child_side.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "framework/base/child_program.h"

namespace gramflow {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool can_limit_memory = false;  // its shadow memory alone is terabytes
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool can_limit_memory = false;
#else
constexpr bool can_limit_memory = true;
#endif
#else
constexpr bool can_limit_memory = true;
#endif

std::string receive_message() {
  std::string message(1U << 16, '\0');
  ::ssize_t got = 0;
  do {
    got = ::recv(ChildProgram::socket_descriptor, message.data(), message.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) ::_exit(0);
  message.resize(static_cast<std::size_t>(got));
  return message;
}

void send_message(std::string_view message) {
  ::ssize_t sent = 0;
  do {
    sent = ::send(ChildProgram::socket_descriptor, message.data(), message.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) ::_exit(0);
}

}  // namespace

std::optional<Channel> channel_to_parent(std::size_t shared_bytes) {
  void* shared =
      ::mmap(nullptr, shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ChildProgram::memory_descriptor, 0);
  if (shared == MAP_FAILED) return std::nullopt;
  const ::rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int number : {SIGINT, SIGQUIT}) ::signal(number, SIG_IGN);
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM, SIGTERM})
    ::signal(number, SIG_DFL);
  return Channel{send_message, receive_message, {static_cast<std::byte*>(shared), shared_bytes}};
}

void limit_memory(std::uint64_t bytes) {
  if (!can_limit_memory) return;
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages[6] = {};
  for (std::uint64_t& count : pages) file >> count;
  ::rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  const std::uint64_t wanted = pages[5] * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  limit.rlim_cur = std::min< ::rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace gramflow
