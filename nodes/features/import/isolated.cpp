#include "nodes/features/import/isolated.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

#include "framework/base/error.h"

namespace gramflow {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool can_limit_memory = false;  // its shadow memory alone is terabytes of addresses
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool can_limit_memory = false;
#else
constexpr bool can_limit_memory = true;
#endif
#else
constexpr bool can_limit_memory = true;
#endif

void limit(int resource, std::uint64_t value) {
  const ::rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &both);
}

std::uint64_t address_space() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void write_all(int descriptor, const char* bytes, std::size_t count) {
  while (count > 0) {
    const ::ssize_t written = ::write(descriptor, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(3);
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
}

[[noreturn]] void run_child(FunctionRef<std::string()> work, const IsolationLimits& limits, int answer) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.seconds));
  if (can_limit_memory) limit(RLIMIT_AS, address_space() + limits.memory);
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGINT, SIGTERM})
    ::signal(number, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  const int nowhere =
      ::open("/dev/null", O_WRONLY | O_CLOEXEC);  // what a dying C library prints helps nobody
  if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  std::string text;
  char status = '+';
  try {
    text = work();
  } catch (const std::bad_alloc&) {
    ::_exit(4);
  } catch (const std::exception& problem) {
    status = '-';
    text = problem.what();
  }
  write_all(answer, &status, 1);
  write_all(answer, text.data(), text.size());
  ::_exit(0);
}

/// Everything up to the end; "" with `why` set when that takes too long or is too much.
std::string read_answer(int descriptor, const IsolationLimits& limits, std::string& why) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(limits.seconds);
  std::string text;
  std::string buffer(1U << 16, '\0');
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    ::pollfd wait{descriptor, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&wait, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) why = "it took too long";
    if (ready <= 0) return "";
    const ::ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer, 0, static_cast<std::size_t>(got));
    if (text.size() > limits.answer) why = "it holds too much";
    if (text.size() > limits.answer) return "";
  }
}

}  // namespace

std::string run_isolated(FunctionRef<std::string()> work, const IsolationLimits& limits,
                         const std::string& crashed) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw RunError(std::string("no pipe: ") + std::strerror(errno));
  const ::pid_t child = ::fork();
  if (child < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw RunError(std::string("no child process: ") + std::strerror(errno));
  }
  if (child == 0) run_child(work, limits, ends[1]);
  ::close(ends[1]);
  std::string why;
  std::string answer = read_answer(ends[0], limits, why);
  ::close(ends[0]);
  if (!why.empty()) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (why.empty() && WIFSIGNALED(status))
    why = WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? "it took too long"
                                                                     : ::strsignal(WTERMSIG(status));
  if (why.empty() && WEXITSTATUS(status) == 4) why = "it wants too much memory";
  if (why.empty() && (WEXITSTATUS(status) != 0 || answer.empty())) why = "no answer";
  if (!why.empty()) throw RunError(crashed + " (" + why + ")");
  if (answer[0] == '-') throw RunError(answer.substr(1));
  answer.erase(0, 1);
  return answer;
}

}  // namespace gramflow
