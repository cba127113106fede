#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "framework/base/program_file.h"
#include "nodes/networks/network.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void add_folder(std::vector<std::string>& folders, const fs::path& folder) {
  std::error_code ignored;
  const std::string text = folder.lexically_normal().string();
  if (fs::is_directory(folder, ignored) && std::find(folders.begin(), folders.end(), text) == folders.end())
    folders.push_back(text);
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> folders;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) folders.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return folders;
}

/// The source tree this program belongs to: build/gramflow lies in it; a build folder elsewhere remembers it.
/// Empty for an installed program, whatever lies where it was built.
fs::path source_tree(const fs::path& program_folder) {
  std::error_code ignored;
  if (fs::is_directory(program_folder.parent_path() / "configs" / "networks", ignored))
    return program_folder.parent_path();
  const fs::path build = fs::weakly_canonical(GRAMFLOW_BUILD_FOLDER, ignored);
  const auto [end, rest] =
      std::mismatch(build.begin(), build.end(), program_folder.begin(), program_folder.end());
  return end == build.end() ? fs::path(GRAMFLOW_SOURCE_FOLDER) : fs::path();
}

}  // namespace

NetworkPaths NetworkPaths::standard() {
  NetworkPaths paths;
  paths.network_folders = split(environment("GRAMFLOW_PATH"));
  const fs::path program = fs::path(program_file()).parent_path();
  const fs::path source = source_tree(program);
  if (!source.empty()) add_folder(paths.network_folders, source / "configs" / "networks");
  add_folder(paths.network_folders, program.parent_path() / "share" / "gramflow" / "networks");
  if (paths.network_folders.empty()) {
    // None is there: these are named where a network is missed.
    if (program.empty())
      paths.network_folders.push_back("(the program's own folder is unknown: set GRAMFLOW_PATH)");
    else
      for (const char* place : {"configs/networks", "share/gramflow/networks"})
        paths.network_folders.push_back((program.parent_path() / place).string());
  }
  const std::string cache = environment("XDG_CACHE_HOME");
  const std::string home = environment("HOME");
  // The XDG rules: a relative path is to be ignored.
  if (cache.starts_with('/'))
    paths.cache_folder = cache + "/gramflow";
  else if (!home.empty())
    paths.cache_folder = home + "/.cache/gramflow";
  paths.weight_folders = paths.network_folders;
  if (!source.empty()) add_folder(paths.weight_folders, source.parent_path() / "shared" / "weights");
  if (!paths.cache_folder.empty()) paths.weight_folders.push_back(paths.cache_folder);
  return paths;
}

}  // namespace gramflow
