#include "framework/base/terminal_text.h"

#include <algorithm>

#include "framework/base/text.h"

namespace gramflow {

std::string terminal_text(std::string_view text) {
  std::string result;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    result += one_line(text.substr(begin, end - begin));
    if (end < text.size()) result += '\n';
    begin = end + 1;
  }
  return result;
}

}  // namespace gramflow
