#include "framework/base/plain_file.h"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace gramflow {
namespace {

/// Of statfs(2): proc, sysfs, debugfs, tracefs, cgroup, cgroup2, securityfs, devpts. Their files look regular, and some
/// wait for ever (/proc/kmsg).
constexpr std::array<unsigned long, 8> system_kinds = {0x9fa0,   0x62656572, 0x64626720, 0x74726163,
                                                       0x27e0eb, 0x63677270, 0x73636673, 0x1cd1};

}  // namespace

std::string not_a_plain_file(const std::string& path) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) return "";
  if (S_ISDIR(status.st_mode)) return "a folder";
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) return "a device";
  if (S_ISFIFO(status.st_mode)) return "a pipe";
  if (S_ISSOCK(status.st_mode)) return "a socket";
  struct ::statfs system {};
  if (::statfs(path.c_str(), &system) != 0) return "";
  const auto kind = static_cast<unsigned long>(system.f_type) & 0xffffffffUL;
  if (std::find(system_kinds.begin(), system_kinds.end(), kind) == system_kinds.end()) return "";
  return "a file of the system, not of a disk";
}

}  // namespace gramflow
