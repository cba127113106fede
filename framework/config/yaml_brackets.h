#pragma once
// Which brackets and quotes of a broken YAML text are open: what its parser does not say.
#include <cstddef>
#include <string>
#include <vector>

namespace gramflow {

struct BracketScan {
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  std::vector<std::size_t> open;   ///< offsets of open '[' and '{', outermost first
  std::size_t mismatch = nowhere;  ///< a ']' or '}' that does not fit the last open one; the scan ends there
  std::size_t open_quote = nowhere;  ///< a quote that the text ends in
};

/// Looks through a text up to the end of the line that holds offset `until`, outside of quotes and comments.
BracketScan scan_brackets(const std::string& text, std::size_t until);

}  // namespace gramflow
