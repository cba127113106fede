#include "pipelines/interruption.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>

namespace gramflow {
namespace {

/// As under nohup.
bool ignores_hangup() {
  struct ::sigaction action {};
  return ::sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t interruptions() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (!ignores_hangup()) sigaddset(&set, SIGHUP);
  return set;
}

/// Shells, `timeout` and terminals that close may send a signal to the process and to its group at once.
constexpr std::chrono::milliseconds one_request(500);

}  // namespace

Interruption::Interruption() {
  const sigset_t set = interruptions();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiter_ = std::jthread([this](const std::stop_token& stop) {
    const sigset_t waited = interruptions();
    const timespec patience{0, 100'000'000};
    std::chrono::steady_clock::time_point first;
    while (!stop.stop_requested()) {
      const int signal = sigtimedwait(&waited, nullptr, &patience);
      if (signal < 0) continue;
      if (requested_.exchange(true)) {
        const bool again = std::chrono::steady_clock::now() - first > one_request;
        if (again && signal != SIGHUP) std::_Exit(130);
        continue;
      }
      first = std::chrono::steady_clock::now();
      std::cerr << "\ngramflow: stopping and saving what there is; once more to stop at once\n";
    }
  });
}

Interruption::~Interruption() {
  waiter_.request_stop();
  waiter_.join();
  const sigset_t set = interruptions();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace gramflow
