#include "tests/house/source_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

namespace gramflow::test {
namespace {

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex line(R"re((^|\n)[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])re");
  std::vector<Include> includes;
  for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at)
    includes.push_back({(*at)[3].str(), (*at)[2].str() == "<"});
  return includes;
}

}  // namespace

std::vector<SourceText> sources_below(const std::string& folder) {
  const std::filesystem::path root = GRAMFLOW_SOURCE_DIR;
  std::vector<SourceText> sources;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    std::vector<Include> includes = includes_of(text);
    sources.push_back({entry.path().lexically_relative(root).string(), std::move(text), std::move(includes)});
  }
  std::sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return sources;
}

}  // namespace gramflow::test
