#pragma once
// A Plan: everything decided before the first pixel is read. Which memory each tensor has, which operations
// must wait for which, what it all costs. Immutable; made from shapes alone, so that `check` can print it
// without reading anything. framework/compile/verify.h proves one.
#include <cstdint>
#include <string>
#include <vector>

#include "framework/devices/devices.h"
#include "framework/ops/program.h"

namespace gramflow {

struct Plan {
  static constexpr std::size_t no_offset = static_cast<std::size_t>(-1);

  Program program;
  Devices devices;  ///< that it is made for
  /// Of each tensor in the arena of its place; no_offset when it has none there.
  std::vector<std::size_t> offsets;
  std::vector<std::size_t> scratch_offsets;  ///< of each operation, in the arena of its place
  std::vector<std::size_t> scratch_bytes;    ///< of each operation
  std::vector<std::vector<int>> successors;  ///< of each operation within its section: data and shared memory
  /// Operations of a section are program.operations[begin, end).
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<Range> sections;

  /// What runs between the iterations of a loop, every so many of them.
  struct Preview {
    int loop = 0;
    std::int64_t every = 1;
    std::vector<int> operations;  ///< of the section behind the loop, in order
  };
  std::vector<Preview> previews;

  /// Memory that whoever runs the plan brings along: canvases and gradients, on the device, and what methods
  /// remember. It is needed from the beginning of section `first` to the end of section `last`.
  struct External {
    TensorId tensor = no_tensor;
    std::size_t bytes = 0;
    int first = 0;
    int last = 0;
  };
  std::vector<External> externals;
  std::vector<int> external_of;  ///< of each tensor: which external it lies in; -1 none

  int workers = 1;              ///< threads that the scratch memory is for; running with more is an error
  std::size_t arena_bytes = 0;  ///< on the device
  std::size_t host_arena_bytes = 0;              ///< on the host beside it; 0 when they are the same
  std::size_t external_bytes = 0;                ///< the most of externals that is needed at a time
  std::vector<FilterUse> filters, host_filters;  ///< that the device and the host beside it use
  std::size_t filter_bytes = 0;                  ///< packed weights
  std::size_t host_filter_bytes = 0;
  /// Carried between device and host in one evaluation, by loop.
  std::vector<double> transfer_bytes;
  std::size_t transient_bytes =
      0;  ///< the most that a library takes on the heap while a picture is read or written
  std::vector<Cost> loop_costs;  ///< of one evaluation of loss and gradient, by loop

  /// What the arena would need if nothing shared memory, for comparison.
  std::size_t unshared_bytes = 0;
};

/// Assigns memory, for as many workers as the calling thread's arena has. `program` must be in runnable
/// order, section by section.
Plan make_plan(Program program, const Devices& devices);

}  // namespace gramflow
