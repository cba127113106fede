#pragma once
// A timeline of operations by thread, in the JSON that chrome://tracing and ui.perfetto.dev open.
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gramflow {

/// Thread-safe. Events are kept in memory, at most `capacity` of them (the first ones), and written at the end.
class Trace {
 public:
  explicit Trace(std::size_t capacity = 200000);
  /// An operation that the calling thread ran, in nanoseconds of the steady clock. `category` must live until write().
  void record(const std::string& name, const char* category, std::int64_t start, std::int64_t end);
  /// Throws RunError when the file cannot be written.
  void write(const std::string& path) const;

 private:
  struct Event {
    std::string name;
    const char* category;
    std::int64_t start;
    std::int64_t end;
    int thread;
  };
  mutable std::mutex mutex_;
  std::size_t capacity_;
  std::vector<Event> events_;
  std::map<std::thread::id, int> threads_;
};

}  // namespace gramflow
