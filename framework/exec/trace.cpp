#include "framework/exec/trace.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"

namespace gramflow {

Trace::Trace(std::size_t capacity) : capacity_(capacity) { events_.reserve(capacity); }

void Trace::record(const std::string& name, const char* category, std::int64_t start, std::int64_t end) {
  const std::lock_guard lock(mutex_);
  if (events_.size() == capacity_) return;
  const int thread = threads_.emplace(std::this_thread::get_id(), static_cast<int>(threads_.size()) + 1).first->second;
  events_.push_back({name, category, start, end, thread});
}

void Trace::write(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  std::ofstream file(path, std::ios::binary);
  file << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  const std::int64_t origin = events_.empty() ? 0 : events_.front().start;
  for (const Event& event : events_)
    file << fmt::format("{}{{\"name\":{},\"cat\":\"{}\",\"ph\":\"X\",\"pid\":1,\"tid\":{},\"ts\":{:.3f},\"dur\":{:.3f}}}", &event == &events_.front() ? "" : ",\n",
                        nlohmann::json(event.name).dump(), event.category, event.thread, static_cast<double>(event.start - origin) * 1e-3,
                        static_cast<double>(event.end - event.start) * 1e-3);
  file << "\n]}\n";
  if (!file.flush()) throw RunError(path + ": the trace cannot be written");
}

}  // namespace gramflow
