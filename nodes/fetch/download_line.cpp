#include "nodes/fetch/download_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"

namespace gramflow {

std::string progress_line(const DownloadProgress& progress, double seconds, std::uint64_t bytes) {
  const double speed = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
  std::string line;
  if (progress.total > 0) {
    const double part =
        std::min(1.0, static_cast<double>(progress.done) / static_cast<double>(progress.total));
    const auto full = static_cast<std::size_t>(part * 20);
    line = fmt::format("[{}{}] {:3.0f} %  {} of {}", std::string(full, '#'), std::string(20 - full, '-'),
                       part * 100, human_bytes(progress.done), human_bytes(progress.total));
  } else {
    line = human_bytes(progress.done);
  }
  if (speed > 0) line += fmt::format("  {}/s", human_bytes(static_cast<std::uint64_t>(speed)));
  if (speed > 0 && progress.total > progress.done)
    line += "  " + human_seconds(static_cast<double>(progress.total - progress.done) / speed) + " left";
  return line;
}

}  // namespace gramflow
