#include "framework/config/yaml_brackets.h"

#include <string_view>

namespace gramflow {

BracketScan scan_brackets(const std::string& text, std::size_t until) {
  BracketScan scan;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (at >= until && letter == '\n' && !scan.open.empty()) break;
    if (scan.open_quote != BracketScan::nowhere) {
      const char sign = text[scan.open_quote];
      if (sign == '"' && letter == '\\') {
        ++at;
      } else if (letter == sign) {
        scan.open_quote = BracketScan::nowhere;
      }
      continue;
    }
    // Quotes and comments start words; inside of a word both signs mean themselves.
    const bool word_start =
        at == 0 || std::string_view(" \t\n,[{:").find(text[at - 1]) != std::string_view::npos;
    if (word_start && (letter == '"' || letter == '\'')) {
      scan.open_quote = at;
    } else if (word_start && letter == '#') {
      while (at + 1 < text.size() && text[at + 1] != '\n') ++at;
    } else if (letter == '[' || letter == '{') {
      scan.open.push_back(at);
    } else if ((letter == ']' || letter == '}') && !scan.open.empty()) {
      if (text[scan.open.back()] != (letter == ']' ? '[' : '{')) {
        scan.mismatch = at;
        return scan;
      }
      scan.open.pop_back();
    }
  }
  return scan;
}

}  // namespace gramflow
