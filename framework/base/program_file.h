#pragma once
// The file of the running program.
#include <string>

namespace gramflow {

/// Its absolute path, links followed; also where /proc is missing. "" when nobody knows.
std::string program_file();

}  // namespace gramflow
