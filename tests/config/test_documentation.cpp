// The pages of the language say what the program does.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "framework/config/expand.h"
#include "framework/config/read_pipeline.h"
#include "tests/config/expansion.h"

using namespace gramflow;

namespace {

const std::filesystem::path sources = GRAMFLOW_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

bool is_code(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-0123456789") == std::string::npos;
}

/// The codes that a source file reports: the first literal behind error(, warning(, report( or finish( when
/// it looks like one.
void add_codes(const std::string& text, std::set<std::string>& codes) {
  for (const std::string call : {"error(", "warning(", "report(", "finish("}) {
    for (std::size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1)) {
      const char before = at > 0 ? text[at - 1] : ' ';
      if (before == '_' || (before >= 'a' && before <= 'z')) continue;  // runtime_error(
      const std::string arguments =
          text.substr(at, std::min(text.find_first_of(";{", at) - at, std::size_t{200}));
      const std::size_t begin = arguments.find('"');
      const std::size_t end = arguments.find('"', begin + 1);
      if (begin == std::string::npos || end == std::string::npos) continue;
      const std::string literal = arguments.substr(begin + 1, end - begin - 1);
      if (is_code(literal)) codes.insert(literal);
    }
  }
}

std::set<std::string> codes_in_sources() {
  std::set<std::string> codes;
  for (const char* folder : {"framework", "nodes", "pipelines"}) {
    for (const auto& file : std::filesystem::recursive_directory_iterator(sources / folder)) {
      const std::string extension = file.path().extension().string();
      if (extension == ".cpp" || extension == ".h") add_codes(text_of(file.path()), codes);
    }
  }
  return codes;
}

std::set<std::string> codes_in_page() {
  std::set<std::string> codes;
  std::istringstream lines(text_of(sources / "docs" / "diagnostics.md"));
  const std::string heading = "### `";
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(heading))
      codes.insert(line.substr(heading.size(), line.find('`', heading.size()) - heading.size()));
  return codes;
}

/// The ```yaml blocks of a page.
std::vector<std::string> blocks_of(const std::string& page) {
  std::vector<std::string> blocks;
  const std::string fence = "```yaml\n";
  for (std::size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    blocks.push_back(page.substr(begin, page.find("```", begin) - begin));
  }
  return blocks;
}

}  // namespace

TEST_CASE("every code has a section in docs/diagnostics.md") {
  const std::set<std::string> explained = codes_in_page();
  const std::set<std::string> used = codes_in_sources();
  REQUIRE(used.size() > 50);
  for (const std::string& code : used) {
    CAPTURE(code);
    CHECK(explained.contains(code));
  }
}

TEST_CASE("docs/diagnostics.md explains no code that is gone") {
  const std::set<std::string> used = codes_in_sources();
  for (const std::string& code : codes_in_page()) {
    CAPTURE(code);
    CHECK(used.contains(code));
  }
}

TEST_CASE("every pipeline in docs/language.md expands without a word") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "gramflow_test_language";
  std::filesystem::create_directories(folder);
  std::vector<std::string> names;
  for (const std::string& block : blocks_of(text_of(sources / "docs" / "language.md"))) {
    // A block that others include starts with its name: "# photos.yaml".
    const std::string first = block.substr(0, block.find('\n'));
    const bool named = first.starts_with("# ") && first.ends_with(".yaml");
    names.push_back(named ? first.substr(2) : "block" + std::to_string(names.size()) + ".yaml");
    std::ofstream(folder / names.back(), std::ios::binary) << block;
  }
  REQUIRE(names.size() >= 6);
  for (const std::string& name : names) {
    Diagnostics diagnostics;
    PipelineSource source = read_pipeline((folder / name).string());
    source.include_folders = {sources.string()};  // where "configs" is
    const Document document = expand(source, 0, diagnostics);
    CHECK(diagnostics.render() == "");
    CHECK(!document.nodes.empty());
  }
  std::filesystem::remove_all(folder);
}
