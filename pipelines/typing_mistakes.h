#pragma once
// Command lines that CLI11 refuses, in the words of what was probably meant.
#include <string>

namespace CLI {
class App;
}

namespace gramflow {

/// When the first word is no command: what is said of it, with its line end; "" when that is not the matter.
std::string unknown_command(const CLI::App& app, int argc, const char* const* argv);
/// What CLI11 leaves at "not expected": options that nobody knows, and settings without --set.
std::string unknown_words(const CLI::App& app);

}  // namespace gramflow
