#include "framework/config/files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace gramflow {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::vector<std::string> yaml_files_in(const std::string& folder) {
  constexpr std::size_t enough = 1000;
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator files(folder.empty() ? "." : folder, error);
  for (; !error && files != std::filesystem::directory_iterator() && names.size() < enough;
       files.increment(error)) {
    const std::string extension = files->path().extension().string();
    if (extension == ".yaml" || extension == ".yml") names.push_back(files->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace gramflow
