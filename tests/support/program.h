#pragma once
// The program as people start it, from a folder of their choice, and what it took.
#include <string>

namespace gramflow::test {

struct ProgramResult {
  int code = -1;    ///< the exit status; 128 + number when a signal ended it
  std::string out;  ///< the standard output
  std::string err;
  long peak_kilobytes = 0;  ///< of the program or its child, whichever took more
};

/// Runs the gramflow that lies beside this test, in `folder`, with the words of `arguments` (quoted as in a
/// shell).
ProgramResult run_gramflow(const std::string& folder, const std::string& arguments);
/// The same with the gramflow of this file.
ProgramResult run_program(const std::string& program, const std::string& folder,
                          const std::string& arguments);

}  // namespace gramflow::test
