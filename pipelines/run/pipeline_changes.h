#pragma once
// What differs between the pipeline that a checkpoint was written of and the one that is to go on.
#include <functional>
#include <string>
#include <vector>

#include "framework/checkpoint/checkpoint_head.h"

namespace gramflow {

struct PipelineChange {
  std::string text;       ///< "nodes.result.iterations: 300, was 200"
  bool harmless = false;  ///< what was made so far is what the changed pipeline would have made
};

/// Where optimisers stand in the checkpoint.
struct ReachedPosition {
  int stage = 0;  ///< from 0
  int loop = -1;  ///< in this stage
  std::int64_t iteration = 0;
  bool stopped = false;  ///< the loop's method has ended it
  /// Number of an optimiser's loop, -1 for a node that is none.
  std::function<int(const std::string& node)> loop_of;
};

/// Compares canonical texts, stage by stage. Harmless are: everything about a Save, iterations that are still to
/// come, and whatever stages say that have not begun. A text that cannot be read is one change, not harmless.
std::vector<PipelineChange> pipeline_changes(const std::string& before, const std::string& now,
                                             const ReachedPosition& reached);

/// Files of which the contents differ, of the kinds that the canonical pipeline does not name: weights, networks.
std::vector<PipelineChange> source_changes(const std::vector<CheckpointSource>& before,
                                           const std::vector<CheckpointSource>& now);

}  // namespace gramflow
