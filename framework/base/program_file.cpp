#include "framework/base/program_file.h"

#include <sys/auxv.h>

#include <filesystem>

namespace gramflow {

std::string program_file() {
  std::error_code failed;
  const std::filesystem::path linked = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (!failed) return linked.string();
  // The kernel keeps the name that the program was started by.
  const auto started = getauxval(AT_EXECFN);
  if (started == 0) return "";
  const std::filesystem::path real =
      std::filesystem::canonical(reinterpret_cast<const char*>(started), failed);
  return failed ? "" : real.string();
}

}  // namespace gramflow
