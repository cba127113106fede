#include "framework/base/resident_memory.h"

#include <sys/resource.h>

#include <fstream>
#include <string>

namespace gramflow {
namespace {

/// "VmHWM:   12345 kB" -> bytes; 0 when there is no such line.
std::uint64_t status_line(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * 1024;
  return 0;
}

}  // namespace

std::uint64_t peak_resident_bytes() {
  // getrusage() also counts what the process was before exec(): a small program started by a large one would
  // look large.
  if (const std::uint64_t bytes = status_line("VmHWM:"); bytes > 0) return bytes;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::uint64_t resident_bytes() { return status_line("VmRSS:"); }

}  // namespace gramflow
