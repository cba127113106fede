#pragma once
// Ctrl-C, SIGTERM and SIGHUP (a terminal that was closed; unless it is ignored, as under nohup) as a flag. The first one
// asks the run to end, a second Ctrl-C or SIGTERM, half a second later or more, ends the process.
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
