#pragma once
// Text on its way to somebody's terminal.
#include <string>
#include <string_view>

namespace gramflow {

/// The text with control characters, but line ends, and broken UTF-8 shown as escapes (`\x1b`), so that what a file is
/// called or holds cannot move the cursor, change colours or set a title.
std::string terminal_text(std::string_view text);

}  // namespace gramflow
