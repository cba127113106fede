#pragma once
// What is no name of a file here, though it is one elsewhere: what a shell would have opened (~), what a
// browser would fetch, standard input and output, and names with letters that nobody sees.
#include <string>

namespace gramflow {

struct PathProblem {
  std::string message;  ///< "" when there is none
  std::string suggestion;
};

/// `typed` at a shell: quotes would be part of the name there.
PathProblem path_problem(const std::string& path, bool writes, bool typed);

}  // namespace gramflow
