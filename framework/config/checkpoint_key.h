#pragma once
// The key `checkpoint:` at the top of a main file: where a run keeps what it needs to go on, and how often.
#include <cstdint>
#include <optional>
#include <string>

#include "framework/config/value.h"

namespace gramflow {

struct CheckpointKey {
  std::optional<std::string> path;  ///< relative to the current folder, as everything that is written
  Span path_span;
  std::int64_t every_iterations = 0;  ///< one of the two is set
  double every_seconds = 0;
};

/// `checkpoint: {path: FILE, every: 50}`; `every` counts iterations, or is a time: `2 min`, `30 s`, `1 h`.
/// Without `every` two minutes. `value` has its variables replaced. Reports mistakes.
CheckpointKey read_checkpoint_key(const Value& value, Diagnostics& diagnostics);

}  // namespace gramflow
