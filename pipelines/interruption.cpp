#include "pipelines/interruption.h"

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>

namespace gramflow {
namespace {

sigset_t interruptions() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Interruption::Interruption() {
  const sigset_t set = interruptions();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiter_ = std::jthread([this](const std::stop_token& stop) {
    const sigset_t waited = interruptions();
    const timespec patience{0, 100'000'000};
    while (!stop.stop_requested()) {
      if (sigtimedwait(&waited, nullptr, &patience) < 0) continue;
      if (requested_.exchange(true)) std::_Exit(130);
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
