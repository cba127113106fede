// gramflow-decoder: the program that reads pictures for gramflow, so that a file made to harm, or a mistake
// in one of the many libraries, ends this process and not the run. It is started by gramflow
// (framework/base/child_program.h), serves pictures until its socket is closed, and is of no use by hand.
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <new>

#include "framework/base/child_program.h"
#include "nodes/image/decode/serve.h"
#include "nodes/image/decoder_protocol.h"

using namespace gramflow;

namespace {

/// Ends the process quietly when gramflow is gone.
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

int main() {
  void* shared = ::mmap(nullptr, decoder_protocol::shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                        ChildProgram::memory_descriptor, 0);
  if (shared == MAP_FAILED) {
    std::fputs(
        "gramflow-decoder reads pictures for gramflow, which starts it; there is nothing to do for it "
        "alone\n",
        stderr);
    return 2;
  }
  const ::rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int number : {SIGINT, SIGQUIT}) ::signal(number, SIG_IGN);  // Ctrl-C is for gramflow to hear
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM, SIGTERM})
    ::signal(number, SIG_DFL);
  const decode::Channel channel{
      send_message, receive_message, {static_cast<std::byte*>(shared), decoder_protocol::shared_bytes}};
  send_message(decoder_protocol::greeting);
  while (true) {
    try {
      decode::serve(receive_message(), channel);
    } catch (const std::exception&) {
      ::_exit(4);  // memory ran out where nothing could be said any more
    }
  }
}
