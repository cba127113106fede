#pragma once
// Programs of made-up operations: any shape of dependencies that sections allow, nothing to compute.
#include <cstdint>

#include "framework/devices/devices.h"
#include "framework/ops/program.h"

namespace gramflow::test {

struct ProgramSizes {
  int loops = 2;
  int operations = 10;  ///< of each section
};

/// Straight sections with saving operations (some of them previews), loops that end in losses and a gradient.
Program random_program(std::uint64_t seed, const ProgramSizes& sizes = {});

/// Devices for them: one, or one with a host apart from it.
Devices any_devices(bool apart = false);

}  // namespace gramflow::test
