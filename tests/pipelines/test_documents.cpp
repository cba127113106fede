// What is written about gramflow is true: every recipe and every pipeline in the documentation passes the
// check, and the generated pages are those that the code would generate.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/base/error.h"
#include "framework/exec/compile_stage.h"
#include "pipelines/json_schema.h"
#include "pipelines/node_pages.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

const fs::path root = GRAMFLOW_SOURCE_DIR;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The blocks between ```yaml and ``` that are whole pipelines.
std::vector<std::string> pipelines_in(const std::string& markdown) {
  std::vector<std::string> blocks;
  const std::string open = "```yaml\n";
  for (std::size_t at = markdown.find(open); at != std::string::npos; at = markdown.find(open, at + 1)) {
    const std::size_t begin = at + open.size();
    const std::string block = markdown.substr(begin, markdown.find("\n```", begin) - begin + 1);
    if (block.find("version: 1") != std::string::npos) blocks.push_back(block);
  }
  return blocks;
}

/// Writes every block that begins with "# NAME.yaml" as that file: what other blocks of the page include.
void write_named_blocks(const std::string& markdown, const std::string& folder) {
  const std::string open = "```yaml\n# ";
  for (std::size_t at = markdown.find(open); at != std::string::npos; at = markdown.find(open, at + 1)) {
    const std::size_t begin = at + open.size();
    const std::string name = markdown.substr(begin, markdown.find_first_of(" \n", begin) - begin);
    if (name.ends_with(".yaml"))
      std::ofstream(fs::path(folder) / name)
          << markdown.substr(begin - 2, markdown.find("\n```", begin) - begin + 3);
  }
}

/// "" or what is wrong with a pipeline that stands in the current folder.
std::string mistakes(const std::string& name, const std::string& yaml,
                     std::shared_ptr<NetworkLibrary> library = shipped_library()) {
  const NodeTypes types = standard_nodes(library);
  Diagnostics warnings;
  try {
    compile_stages({.file = std::make_shared<SourceFile>(name, yaml)}, types, warnings);
  } catch (const std::exception& problem) {
    return problem.what();
  }
  return warnings.render();
}

class InFolder {
 public:
  explicit InFolder(const fs::path& folder) : before_(fs::current_path()) { fs::current_path(folder); }
  ~InFolder() { fs::current_path(before_); }

 private:
  fs::path before_;
};

}  // namespace

TEST_CASE("every recipe passes the check without a warning") {
  const InFolder here(root);
  int count = 0;
  for (const auto& entry : fs::directory_iterator("configs")) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    CHECK_MESSAGE(mistakes(entry.path().string(), text_of(entry.path())) == "", entry.path().string());
  }
  CHECK(count >= 6);
}

TEST_CASE("every style passes the check, those of other networks with their weights drawn at random") {
  const InFolder here(root);
  int count = 0;
  for (const auto& entry : fs::directory_iterator("configs/styles")) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    const auto library = shipped_library();
    library->use_random_weights_when_missing(1);
    CHECK_MESSAGE(mistakes(entry.path().string(), text_of(entry.path()), library) == "",
                  entry.path().string());
    CHECK_MESSAGE(text_of(entry.path()).starts_with("# "), entry.path().string());  // says what it is for
  }
  CHECK(count == 8);
}

TEST_CASE("every pipeline in the documentation passes the check") {
  int count = 0;
  std::vector<fs::path> pages = {root / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs"))
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  for (const fs::path& page : pages) {
    const TemporaryFolder files;  // a folder that holds configs
    fs::create_directory_symlink(root / "configs", files / "configs");
    const InFolder here(files.path());
    write_named_blocks(text_of(page), files.path());
    for (const std::string& block : pipelines_in(text_of(page))) {
      ++count;
      CHECK_MESSAGE(mistakes(page.filename().string(), block) == "", page.string() << ":\n" << block);
    }
  }
  CHECK(count >= 1);
}

TEST_CASE("the node pages are those that the code generates") {
  for (const auto& [name, text] : node_pages(standard_nodes(shipped_library())))
    CHECK_MESSAGE(text_of(root / "docs" / "nodes" / name) == text,
                  "run: build/gramflow nodes --pages docs/nodes");
}

TEST_CASE("the editor schema knows every node type, port and parameter, and the layers it was given") {
  const NodeTypes types = standard_nodes(shipped_library());
  const nlohmann::json schema = nlohmann::json::parse(json_schema(types, {"conv1_1", "relu1_1"}));
  const nlohmann::json& choices = schema["properties"]["nodes"]["additionalProperties"]["allOf"];
  REQUIRE(choices.size() == types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    CAPTURE(types[i].name);
    CHECK(choices[i]["if"]["properties"]["type"]["const"] == types[i].name);
    const nlohmann::json& node = choices[i]["then"];
    for (const InputPort& port : types[i].inputs) CHECK(node["properties"].contains(port.name));
    for (const Field& field : types[i].parameters.fields()) {
      CAPTURE(field.name);
      CHECK(node["properties"][field.name]["description"] == field.doc);
    }
    CHECK(node["additionalProperties"] == false);
  }
  CHECK(schema["else"].dump().find("Optimizer") != std::string::npos);
  CHECK(schema.dump().find("^(conv1_1|relu1_1|") != std::string::npos);
}

TEST_CASE("every C++ block in the documentation compiles as it is written, without a warning") {
  int count = 0;
  const TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() != ".md") continue;
    const std::string page = text_of(entry.path());
    const std::string open = "```cpp\n";
    for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open, at + 1)) {
      const std::size_t begin = at + open.size();
      std::ofstream(folder / "block.cpp") << page.substr(begin, page.find("\n```", begin) - begin + 1);
      const std::string command = "'" GRAMFLOW_CXX_COMPILER
                                  "' -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion "
                                  "-Wno-missing-field-initializers -Werror -I'" +
                                  root.string() + "' '" + (folder / "block.cpp") + "'";
      CHECK_MESSAGE(std::system(command.c_str()) == 0, entry.path().string());
      ++count;
    }
  }
  CHECK(count >= 1);
}
