// picture0 -> picture1 -> ... -> Save, drawn in lines below each other
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "tests/pipelines/program.h"

using namespace gramflow::test;

namespace {

std::string chain(int nodes) {
  std::string yaml = "version: 1\nnodes:\n  picture0: {type: Noise, size: 64}\n";
  for (int i = 1; i < nodes; ++i)
    yaml +=
        "  picture" + std::to_string(i) + ": {type: Sharpen, image: picture" + std::to_string(i - 1) + "}\n";
  return yaml + "  save: {type: Save, image: picture" + std::to_string(nodes - 1) + ", path: x.png}\n";
}

/// How many boxes stand in the longest line, and in how many lines.
struct Lines {
  int longest = 1;
  int count = 1;
};
Lines lines_of(const std::string& dot) {
  Lines lines;
  int boxes = 1;
  std::istringstream text(dot);
  for (std::string line; std::getline(text, line);) {
    if (line.find("->") == std::string::npos) continue;
    const bool goes_on_below = line.find("constraint=false") != std::string::npos;
    boxes = goes_on_below ? 1 : boxes + 1;
    lines.count += goes_on_below ? 1 : 0;
    lines.longest = std::max(lines.longest, boxes);
  }
  return lines;
}

Lines drawn(int nodes, const std::string& options) {
  const TemporaryFolder folder;
  put(folder, "chain.yaml", chain(nodes));
  REQUIRE(run_in(folder.path(), "graph chain.yaml -o chain.dot " + options).code == 0);
  return lines_of(text_of(folder / "chain.dot"));
}

}  // namespace

TEST_CASE("a long chain is drawn in lines of about 4000 pixels") {
  const Lines lines = drawn(200, "");
  CHECK(lines.count >= 8);
  CHECK(lines.longest <= 25);
}

TEST_CASE("a chain that fits is one line") { CHECK(drawn(10, "").count == 1); }

TEST_CASE("--width says where a line ends, and 0 that none does") {
  CHECK(drawn(200, "--width 1000").longest < drawn(200, "--width 3000").longest);
  CHECK(drawn(200, "--width 0").count == 1);
}
