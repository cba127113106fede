// docs/pictures.md tells the truth: its tables are the code's lists.
#include <doctest/doctest.h>

#include <sstream>

#include "nodes/image/picture_io.h"
#include "nodes/image/readable_formats.h"
#include "tests/image/make_files.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// The first cells of a table's rows, without quotes.
std::vector<std::string> first_cells(const std::string& header) {
  std::istringstream document(file_bytes(GRAMFLOW_SOURCE_DIR "/docs/pictures.md"));
  std::vector<std::string> cells;
  std::string line;
  while (std::getline(document, line) && line != header) {
  }
  std::getline(document, line);  // the rule
  while (std::getline(document, line) && line.starts_with("| ")) {
    std::string cell = line.substr(2, line.find(" |", 2) - 2);
    std::erase(cell, '`');
    cells.push_back(cell);
  }
  return cells;
}

}  // namespace

TEST_CASE("the table of what is read is the list of readable formats") {
  std::vector<std::string> titles;
  for (const ReadableFormat& format : readable_formats()) titles.push_back(format.title);
  CHECK(first_cells("| format | read | remarks |") == titles);
}

TEST_CASE("the table of what is written is the list of endings") {
  std::string listed;
  for (const std::string& cell : first_cells("| ending | bits | at most | |"))
    listed += (listed.empty() ? "" : ", ") + cell;
  std::string known;
  for (const std::string& ending : writable_endings()) known += (known.empty() ? "" : ", ") + ending;
  CHECK(listed == known);
}
