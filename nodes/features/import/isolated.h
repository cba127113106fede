#pragma once
// Work with a library that was not written for hostile input, in a child process: if it crashes, loops or
// eats memory, that is an error message and no more.
#include <cstdint>
#include <string>

#include "framework/base/parallel.h"

namespace gramflow {

struct IsolationLimits {
  int seconds = 20;
  std::uint64_t memory = 256ULL << 20;  ///< more than the process has already
  std::uint64_t answer = 1ULL << 30;    ///< bytes of the result
};

/// Runs `work` in a forked child and returns what it returned. A std::exception in it is rethrown as RunError
/// with its text; a crash, too much time or memory is a RunError with `crashed` as its text and the reason in
/// brackets. The child starts no threads, and what it changes in memory is lost.
std::string run_isolated(FunctionRef<std::string()> work, const IsolationLimits& limits,
                         const std::string& crashed);

}  // namespace gramflow
