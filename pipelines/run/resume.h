#pragma once
// `run --resume`: which checkpoint is taken up, and whether it fits the pipeline.
#include <memory>
#include <string>
#include <vector>

#include "framework/checkpoint/checkpoint_store.h"
#include "framework/exec/compile_stage.h"

namespace gramflow {

struct ResumeRequest {
  bool wanted = false;
  std::string file;  ///< "" for the run's own place
  bool accept_changes = false;
};

/// The checkpoint to go on from; null when there is none, which is told. `own_place` may be "". What is to be known
/// (changes, damage, other instructions) goes to `tell`. Throws InvalidPipeline when the pipeline has changed in a way
/// that what was made so far no longer belongs to.
std::unique_ptr<CheckpointFile> find_resume(const ResumeRequest& request, const std::string& own_place,
                                            const CheckpointHead& identity,
                                            const std::vector<std::unique_ptr<CompiledStage>>& stages,
                                            const std::function<void(const std::string&)>& tell);

}  // namespace gramflow
