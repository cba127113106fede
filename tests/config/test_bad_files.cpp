// Every file in bad/ has a mistake, and NAME.expected holds the exact words said about it. To accept new
// words, run with GRAMFLOW_REWRITE_EXPECTED=1 and read what changed.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>

#include "framework/config/expand.h"
#include "tests/config/golden.h"

using namespace gramflow;

namespace {

/// Messages name files as they were given, so the tests stand where the files are.
struct InFolder {
  explicit InFolder(const std::string& folder) : before(std::filesystem::current_path()) {
    std::filesystem::current_path(folder);
  }
  ~InFolder() { std::filesystem::current_path(before); }
  std::filesystem::path before;
};

}  // namespace

TEST_CASE("every bad file is answered with the expected words") {
  const InFolder folder(std::string(GRAMFLOW_SOURCE_DIR) + "/tests/config/bad");
  const std::vector<std::string> names = yaml_names_in(".");
  REQUIRE(names.size() >= 80);
  for (const std::string& name : names) {
    CAPTURE(name);
    Diagnostics diagnostics;
    expand(read_with_settings(name + ".yaml"), 0, diagnostics);
    CHECK(diagnostics.has_errors());
    const std::string found = diagnostics.render();
    CHECK(found == expected_text(name + ".expected", found));
  }
}

TEST_CASE("every finding has a place, a code and one line of text") {
  const InFolder folder(std::string(GRAMFLOW_SOURCE_DIR) + "/tests/config/bad");
  for (const std::string& name : yaml_names_in(".")) {
    Diagnostics diagnostics;
    expand(read_with_settings(name + ".yaml"), 0, diagnostics);
    for (const Diagnostic& item : diagnostics.all()) {
      CAPTURE(name);
      CAPTURE(item.message);
      CHECK(item.span.known());
      CHECK(item.span.begin.line <= item.span.file->line_count());
      CHECK(!item.code.empty());
      CHECK(item.message.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("a stage that is not expanded is checked as well") {
  const InFolder folder(std::string(GRAMFLOW_SOURCE_DIR) + "/tests/config/bad");
  Diagnostics first, second;
  expand(read_with_settings("stage-unknown-names.yaml"), 0, first);
  expand(read_with_settings("stage-unknown-names.yaml"), 1, second);
  CHECK(first.render() == second.render());
}
