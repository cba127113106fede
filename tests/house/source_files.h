#pragma once
// The project's own sources, as the tests of the house read them.
#include <string>
#include <vector>

namespace gramflow::test {

struct Include {
  std::string header;   ///< "hwy/highway.h", "framework/base/text.h"
  bool system = false;  ///< in angle brackets
};

struct SourceText {
  std::string path;  ///< from the project's folder on: "framework/base/text.cpp"
  std::string text;
  std::vector<Include> includes;
};

/// All .h and .cpp files below a folder of the project, sorted by path.
std::vector<SourceText> sources_below(const std::string& folder);

}  // namespace gramflow::test
