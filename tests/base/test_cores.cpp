#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "framework/base/cores.h"

using namespace gramflow;
namespace fs = std::filesystem;

namespace {

/// A machine of text files.
class Machine {
 public:
  Machine() : root_(fs::temp_directory_path() / ("gramflow-machine-" + std::to_string(::getpid()))) {}
  ~Machine() { fs::remove_all(root_); }
  Machine& file(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
    return *this;
  }
  double quota() const { return quota_cores(root_.string()); }

 private:
  fs::path root_;
};

const std::string unified_mount = "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

}  // namespace

TEST_CASE("version 2: the quota of the own group, or of one above it when that is smaller") {
  Machine machine;
  machine.file("proc/self/cgroup", "0::/a/b\n").file("proc/self/mountinfo", unified_mount);
  CHECK(machine.quota() == 0);
  machine.file("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
  CHECK(machine.quota() == 1.5);
  machine.file("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  CHECK(machine.quota() == 1.5);
  machine.file("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  CHECK(machine.quota() == 0.5);
}

TEST_CASE("version 2 inside of a container, which sees its own group as the root") {
  Machine machine;
  machine.file("proc/self/cgroup", "0::/\n").file("proc/self/mountinfo", unified_mount);
  machine.file("sys/fs/cgroup/cpu.max", "100000 100000\n");
  CHECK(machine.quota() == 1);
}

TEST_CASE("version 1: quota and period; the mount may show a group in the middle as its root") {
  Machine machine;
  machine.file("proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/docker/abc\n0::/\n");
  machine.file("proc/self/mountinfo",
               "33 25 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
               "34 25 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
  machine.file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  machine.file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK(machine.quota() == 2);
  machine.file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  CHECK(machine.quota() == 0);
}

TEST_CASE("a group outside of what is mounted: the mount's top counts") {
  Machine machine;
  machine.file("proc/self/cgroup", "3:cpu:/elsewhere\n");
  machine.file("proc/self/mountinfo",
               "34 25 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  machine.file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  machine.file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(machine.quota() == 1);
}

TEST_CASE("a machine without /proc has no quota, and this one has a core") {
  CHECK(Machine().quota() == 0);
  CHECK(usable_cores() >= 1);
}

TEST_CASE("threads that can be started are counted") { CHECK(startable_threads(3) == 3); }
