// /proc/self/cgroup says in which group the process is in each hierarchy, /proc/self/mountinfo where a
// hierarchy is mounted, and which group of it the mount shows as its root: inside of a container often the
// process's own. Every group from there up to the mount limits the process, so the smallest quota counts.
#include "framework/base/cores.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <vector>

namespace gramflow {
namespace fs = std::filesystem;
namespace {

/// "cpu" among "rw,cpu,cpuacct".
bool lists(const std::string& words, const std::string& word) {
  return ("," + words + ",").find("," + word + ",") != std::string::npos;
}

struct Mount {
  fs::path root;  ///< the group that it shows
  fs::path place;
};

/// Mounts of the hierarchy that controls CPU time: version 2 for `unified`, else version 1.
std::vector<Mount> cpu_mounts(const std::string& root, bool unified) {
  std::vector<Mount> mounts;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    // 30 23 0:26 ROOT PLACE options - TYPE source OPTIONS
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line), after(line.substr(dash + 3));
    std::string number, group, place, type, source, options;
    before >> number >> number >> number >> group >> place;
    after >> type >> source >> options;
    if (unified ? type == "cgroup2" : type == "cgroup" && lists(options, "cpu"))
      mounts.push_back({group, place});
  }
  return mounts;
}

/// Numbers of a file; "max" and a missing file are none.
std::vector<double> numbers_in(const std::string& path) {
  std::vector<double> numbers;
  std::ifstream file(path);
  for (double number = 0; file >> number;) numbers.push_back(number);
  return numbers;
}

double quota_of_group(const std::string& folder, bool unified) {
  double quota = 0, period = 0;
  if (unified) {
    const std::vector<double> both = numbers_in(folder + "/cpu.max");
    if (both.size() == 2) quota = both[0], period = both[1];
  } else {
    const std::vector<double> first = numbers_in(folder + "/cpu.cfs_quota_us");
    const std::vector<double> second = numbers_in(folder + "/cpu.cfs_period_us");
    if (first.size() == 1 && second.size() == 1) quota = first[0], period = second[0];
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

double smaller(double a, double b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

}  // namespace

double quota_cores(const std::string& root) {
  double smallest = 0;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // 0::/group for version 2, 4:cpu,cpuacct:/group for version 1
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && !lists(controllers, "cpu")) continue;
    const fs::path group = line.substr(second + 1);
    for (const Mount& mount : cpu_mounts(root, unified)) {
      fs::path inside = group.lexically_relative(mount.root);
      if (inside.empty() || *inside.begin() == "..")
        inside = ".";  // outside of what is shown: its top counts
      for (fs::path now = inside.lexically_normal();; now = now.parent_path()) {
        smallest = smaller(smallest, quota_of_group(root + (mount.place / now).string(), unified));
        if (now.empty() || now == "." || now == now.root_path()) break;
      }
    }
  }
  return smallest;
}

int usable_cores() {
  // More processors than a fixed set has room for are counted by a larger one.
  int count = 0;
  for (int room = 1024; room <= (1 << 20) && count == 0; room *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(room));
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(room));
    if (set == nullptr) break;
    CPU_ZERO_S(bytes, set);
    if (sched_getaffinity(0, bytes, set) == 0) count = CPU_COUNT_S(bytes, set);
    CPU_FREE(set);
  }
  count = std::max(count, 1);
  const double quota = quota_cores();
  return quota > 0 ? std::clamp(static_cast<int>(std::ceil(quota - 1e-6)), 1, count) : count;
}

namespace {

/// What started threads wait at.
struct Gate {
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;
};

void* wait_at_gate(void* pointer) {
  Gate& gate = *static_cast<Gate*>(pointer);
  std::unique_lock lock(gate.mutex);
  gate.opened.wait(lock, [&] { return gate.open; });
  return nullptr;
}

}  // namespace

int startable_threads(int wanted) {
  Gate gate;
  std::vector<pthread_t> threads;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{256} << 10);
  for (int i = 0; i < wanted; ++i) {
    pthread_t thread{};
    if (pthread_create(&thread, &attributes, wait_at_gate, &gate) != 0) break;
    threads.push_back(thread);
  }
  pthread_attr_destroy(&attributes);
  {
    const std::lock_guard lock(gate.mutex);
    gate.open = true;
  }
  gate.opened.notify_all();
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  return static_cast<int>(threads.size());
}

}  // namespace gramflow
