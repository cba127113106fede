#pragma once
// Names that come from somebody's file and go to somebody's terminal.
#include <string>
#include <string_view>

namespace gramflow {

/// Control characters (which could move the cursor or change colours) and broken UTF-8 bytes become '?'; long
/// texts are cut.
std::string printable(std::string_view text, std::size_t longest = 200);

}  // namespace gramflow
