#include "pipelines/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace gramflow {

bool can_redraw() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

bool can_color() {
  const char* refused = std::getenv("NO_COLOR");
  return can_redraw() && (refused == nullptr || *refused == '\0');
}

}  // namespace gramflow
