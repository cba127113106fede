#pragma once
// Standard input, output and error, as they are when the program starts and when it ends.
#include <string>

namespace gramflow {

/// Opens /dev/null for those that are closed, so that the next file that is opened does not take their place and get
/// what is printed. To be called first of all.
void open_standard_streams();

/// Writes out what was printed. "" or why it did not arrive (a full disk); a reader that has gone away (`| head`) is no
/// problem.
std::string flush_standard_output();

}  // namespace gramflow
