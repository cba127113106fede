// What is said about pipelines that are well written but cannot be run: every file in bad/ and the exact
// words of NAME.expected. To accept new words, run with GRAMFLOW_REWRITE_EXPECTED=1 and read what changed.
#include <doctest/doctest.h>

#include <ctime>
#include <filesystem>

#include "framework/base/error.h"
#include "tests/config/golden.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// Errors, or else warnings, with the folder they were read in cut out of what they say.
std::string answer(const std::string& path) {
  Diagnostics warnings;
  std::string said;
  try {
    compile_stages(read_with_settings(path), standard_nodes(shipped_library()), warnings);
    said = warnings.render();
  } catch (const InvalidPipeline& problem) {
    said = problem.what();
  }
  for (const std::string& folder :
       {std::filesystem::current_path().string() + "/", std::string(GRAMFLOW_SOURCE_DIR "/")})
    for (std::size_t at = said.find(folder); at != std::string::npos; at = said.find(folder))
      said.erase(at, folder.size());
  return said;
}

}  // namespace

TEST_CASE("every pipeline that cannot be run is answered with the expected words") {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(GRAMFLOW_SOURCE_DIR "/tests/pipelines/bad");
  const std::vector<std::string> names = yaml_names_in(".");
  CHECK(names.size() >= 40);
  for (const std::string& name : names) {
    CAPTURE(name);
    const std::clock_t start = std::clock();
    const std::string found = answer(name + ".yaml");
    CHECK(std::clock() - start < 2 * CLOCKS_PER_SEC);  // of work: a cold disk may take longer
    CHECK(found != "");
    CHECK(found == expected_text(name + ".expected", found));
  }
  std::filesystem::current_path(before);
}
