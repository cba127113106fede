#pragma once
// A timeline of operations by thread, in the JSON that chrome://tracing and ui.perfetto.dev open.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace gramflow {

/// Thread-safe and free of locks. All memory is taken at construction (its pages only as events come); once
/// `capacity` events are there, later ones are counted and left out.
class Trace {
 public:
  explicit Trace(std::size_t capacity = 200000);
  /// An operation that the calling thread ran, in nanoseconds of the steady clock. Name and category are
  /// copied, and cut after 87 and 47 bytes.
  void record(std::string_view name, std::string_view category, std::int64_t start, std::int64_t end);
  /// Not while others record. Throws RunError when the file cannot be written.
  void write(const std::string& path) const;

  std::size_t recorded() const { return std::min(next_.load(), capacity_); }
  /// Events that came too late.
  std::size_t left_out() const { return next_.load() - recorded(); }

 private:
  static constexpr std::size_t most_threads = 512;
  template <std::size_t most>
  struct Text {
    std::array<char, most> bytes;
    std::uint8_t size;
    void set(std::string_view text) {
      size = static_cast<std::uint8_t>(std::min(text.size(), bytes.size()));
      std::copy_n(text.data(), size, bytes.data());
    }
    std::string_view view() const { return {bytes.data(), size}; }
  };
  struct Event {
    Text<87> name;
    Text<47> category;
    std::int32_t thread;
    std::int64_t start;
    std::int64_t end;
  };
  int number_of_this_thread();

  std::size_t capacity_;
  std::unique_ptr<Event[]> events_;  // the first recorded() are there
  std::atomic<std::size_t> next_ = 0;
  std::array<std::atomic<std::thread::id>, most_threads> threads_{};
};

}  // namespace gramflow
