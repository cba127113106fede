#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "nodes/features/network.h"

namespace gramflow {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

NetworkPaths NetworkPaths::standard() {
  NetworkPaths paths;
  const std::string own = environment("GRAMFLOW_PATH");
  for (std::size_t begin = 0; begin < own.size();) {
    const std::size_t end = std::min(own.find(':', begin), own.size());
    if (end > begin) paths.network_folders.push_back(own.substr(begin, end - begin));
    begin = end + 1;
  }
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  // build/gramflow beside configs/ in a source tree; bin/gramflow beside share/ where it was installed.
  for (const std::filesystem::path& folder : {program.parent_path() / "configs" / "networks", program.parent_path() / "share" / "gramflow" / "networks",
                                              std::filesystem::path(GRAMFLOW_SOURCE_FOLDER) / "configs" / "networks"})
    if (std::filesystem::is_directory(folder, ignored) &&
        std::find(paths.network_folders.begin(), paths.network_folders.end(), folder.string()) == paths.network_folders.end())
      paths.network_folders.push_back(folder.string());
  const std::string cache = environment("XDG_CACHE_HOME");
  const std::string home = environment("HOME");
  if (!cache.empty())
    paths.cache_folder = cache + "/gramflow";
  else if (!home.empty())
    paths.cache_folder = home + "/.cache/gramflow";
  paths.weight_folders = paths.network_folders;
  if (!paths.cache_folder.empty()) paths.weight_folders.push_back(paths.cache_folder);
  return paths;
}

}  // namespace gramflow
