#pragma once
// A Plan: everything decided before the first pixel is read. Which memory each tensor has, which operations
// must wait for which, what it all costs. Immutable; made from shapes alone, so that `check` can print it
// without reading anything.
#include <cstdint>
#include <string>
#include <vector>

#include "framework/ops/program.h"

namespace gramflow {

struct Plan {
  static constexpr std::size_t no_offset = static_cast<std::size_t>(-1);

  Program program;
  std::vector<std::size_t> offsets;          ///< of each tensor in the arena; no_offset when it has no memory
  std::vector<std::size_t> scratch_offsets;  ///< of each operation
  std::vector<std::vector<int>> successors;  ///< of each operation within its phase: data and shared memory
  std::vector<int> predecessor_counts;
  /// Operations of a phase are program.operations[begin, end).
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  Range prologue, loop, epilogue;

  std::size_t arena_bytes = 0;
  std::size_t filter_bytes = 0;  ///< packed weights
  std::size_t transient_bytes =
      0;           ///< the most that a library takes on the heap while a picture is read or written
  Cost loop_cost;  ///< of one evaluation of loss and gradient

  /// What the arena would need if nothing shared memory, for comparison.
  std::size_t unshared_bytes = 0;
};

/// Assigns memory. `program` must be in runnable order, phase by phase.
Plan make_plan(Program program);

/// Every pass in its order, then make_plan(). Programs without losses are not differentiated.
Plan compile(Program program);

}  // namespace gramflow
