// Runs the same tests on less than the machine has: GRAMFLOW_TEST_INSTRUCTIONS=portable, SSE4, AVX2 or
// AVX-512.
#include <cstdlib>

#include "framework/devices/cpu/instructions.h"

namespace {
const bool limited = [] {
  const char* name = std::getenv("GRAMFLOW_TEST_INSTRUCTIONS");
  if (name != nullptr) gramflow::cpu::limit_instructions(name);
  return name != nullptr;
}();
}  // namespace
