#include "tests/config/golden.h"
#include "framework/config/read_pipeline.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace gramflow {

std::vector<std::string> yaml_names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".yaml") names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

PipelineSource read_with_settings(const std::string& path) {
  PipelineSource source = read_pipeline(path);
  std::istringstream lines(source.file->text());
  const std::string start = "# set: ";
  for (std::string line; std::getline(lines, line) && line.starts_with(start);) {
    const std::string setting = line.substr(start.size());
    const std::size_t equals = setting.find('=');
    source.overrides.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
  }
  return source;
}

std::string expected_text(const std::string& path, const std::string& found) {
  if (std::getenv("GRAMFLOW_REWRITE_EXPECTED") != nullptr) std::ofstream(path, std::ios::binary) << found;
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace gramflow
