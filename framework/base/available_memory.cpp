// Read from /proc and /sys at the moment of the question. cgroups of version 2 and 1; in a container the group's
// own folder is often mounted as the root, so both the path in /proc/self/cgroup and the root are looked at.
#include "framework/base/available_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <vector>

namespace gramflow {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t unlimited = std::uint64_t{1} << 60;  // version 1 says "no limit" with a huge number

std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  std::uint64_t value = 0;
  if (!(stream >> value)) return {};
  return value;
}

/// "inactive_file 123" in memory.stat.
std::uint64_t entry_in(const fs::path& file, const std::string& key) {
  std::ifstream stream(file);
  std::string name;
  std::uint64_t value = 0;
  while (stream >> name >> value)
    if (name == key) return value;
  return 0;
}

std::optional<std::uint64_t> machine_free() {
  std::ifstream stream("/proc/meminfo");
  std::string line;
  std::uint64_t free = 0;
  bool known = false;
  while (std::getline(stream, line)) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kibibytes = 0;
    words >> name >> kibibytes;
    known = known || name == "MemAvailable:";
    if (name == "MemAvailable:" || name == "SwapFree:") free += kibibytes * 1024;
  }
  if (!known) return {};
  return free;
}

struct Group {
  fs::path folder;
  bool second = true;  // version
};

/// The groups around this process, from the inside out.
std::vector<Group> groups() {
  std::vector<Group> result;
  std::ifstream stream("/proc/self/cgroup");
  std::string line;
  while (std::getline(stream, line)) {
    const std::size_t first = line.find(':'), last = line.find(':', first + 1);
    if (last == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, last - first - 1);
    const bool second = controllers.empty();
    if (!second && ("," + controllers + ",").find(",memory,") == std::string::npos) continue;
    const std::vector<fs::path> roots =
        second ? std::vector<fs::path>{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}
               : std::vector<fs::path>{"/sys/fs/cgroup/memory"};
    for (const fs::path& root : roots) {
      fs::path inside = fs::path(line.substr(last + 1)).relative_path();
      for (;; inside = inside.parent_path()) {
        result.push_back({root / inside, second});
        if (inside.empty()) break;
      }
    }
  }
  return result;
}

std::optional<std::uint64_t> left_in(const Group& group) {
  const fs::path& folder = group.folder;
  const auto limit = number_in(folder / (group.second ? "memory.max" : "memory.limit_in_bytes"));
  const auto used = number_in(folder / (group.second ? "memory.current" : "memory.usage_in_bytes"));
  if (!limit || !used || *limit >= unlimited) return {};
  const std::uint64_t cache =
      entry_in(folder / "memory.stat", group.second ? "inactive_file" : "total_inactive_file");
  const std::uint64_t kept = *used - std::min(*used, cache);
  return *limit - std::min(*limit, kept);
}

std::optional<std::uint64_t> left_of_address_space() {
  ::rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return {};
  const auto pages = number_in("/proc/self/statm");
  if (!pages) return {};
  const std::uint64_t used = *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, used);
}

}  // namespace

AvailableMemory available_memory() {
  AvailableMemory result{std::numeric_limits<std::uint64_t>::max(), false, "available"};
  const auto consider = [&](const std::optional<std::uint64_t>& bytes, const char* limit) {
    if (bytes && *bytes < result.bytes) result = {*bytes, false, limit};
  };
  consider(machine_free(), "free on this machine");
  for (const Group& group : groups())
    consider(left_in(group), "left by the memory limit of this cgroup (container)");
  if (const auto addresses = left_of_address_space(); addresses && *addresses < result.bytes)
    result = {*addresses, true, "left by the limit on address space (ulimit -v)"};
  return result;
}

}  // namespace gramflow
