#pragma once
// Where a run keeps its checkpoints, and how often it writes one.
#include <optional>
#include <string>

#include "framework/config/checkpoint_key.h"
#include "framework/exec/checkpoint_keeper.h"

namespace gramflow {

struct CheckpointChoice {
  std::string path;  ///< "" for none
  CheckpointRhythm rhythm;
  bool asked = false;  ///< by `checkpoint:` of the pipeline
};

/// By the key, or else beside the first picture, from two minutes on, and then as seldom as costs less than one percent
/// of the time. `first_picture` may be "": then a run without the key keeps none.
CheckpointChoice choose_checkpoint(const std::optional<CheckpointKey>& key, const std::string& first_picture);

/// What a checkpoint says of the run that wrote it.
CheckpointHead checkpoint_identity(const std::string& canonical_by_content, const std::string& convolution,
                                   const std::vector<std::unique_ptr<CompiledStage>>& stages);

}  // namespace gramflow
