#pragma once
// Ctrl-C and SIGTERM as a flag. The first one asks the run to end after the current iteration, a second one
// ends the process.
#include <atomic>
#include <thread>

namespace gramflow {

/// Make it before any other thread: it blocks the signals in its maker, and so in all threads made
/// afterwards, and waits for them in a thread of its own. One at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  const std::atomic<bool>& requested() const { return requested_; }

 private:
  std::atomic<bool> requested_ = false;
  std::jthread waiter_;
};

}  // namespace gramflow
