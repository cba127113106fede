#include "framework/observers/trace.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/base/replaced_file.h"

namespace gramflow {
namespace {

/// Labels may be cut in the middle of a character.
std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

// The events are left uninitialised, so that pages nobody records into are never touched.
Trace::Trace(std::size_t capacity) : capacity_(capacity), events_(new Event[capacity]) {}

int Trace::number_of_this_thread() {
  const std::thread::id self = std::this_thread::get_id();
  for (std::size_t i = 0; i < most_threads; ++i) {
    std::thread::id owner = threads_[i].load(std::memory_order_relaxed);
    if (owner == self) return static_cast<int>(i) + 1;
    if (owner == std::thread::id() && threads_[i].compare_exchange_strong(owner, self))
      return static_cast<int>(i) + 1;
  }
  return 0;  // all threads beyond share a row
}

void Trace::record(std::string_view name, std::string_view category, std::int64_t start, std::int64_t end) {
  const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
  if (index >= capacity_) return;
  Event& event = events_[index];
  event.name.set(name);
  event.category.set(category);
  event.thread = number_of_this_thread();
  event.start = start;
  event.end = end;
}

void Trace::write(const std::string& path) const {
  std::ostringstream file;
  std::int64_t origin = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < recorded(); ++i) origin = std::min(origin, events_[i].start);
  file << "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"events_left_out\":" << left_out()
       << "},\"traceEvents\":[\n";
  file << R"({"name":"process_name","ph":"M","pid":1,"tid":0,"args":{"name":"gramflow"}})";
  for (std::size_t i = 0; i < recorded(); ++i) {
    const Event& event = events_[i];
    file << fmt::format(R"(,{}{{"name":{},"cat":{},"ph":"X","pid":1,"tid":{},"ts":{:.3f},"dur":{:.3f}}})",
                        '\n', quoted(event.name.view()), quoted(event.category.view()), event.thread,
                        static_cast<double>(event.start - origin) * 1e-3,
                        static_cast<double>(event.end - event.start) * 1e-3);
  }
  file << "\n]}\n";
  replace_file(path, file.str());
}

}  // namespace gramflow
