#pragma once
// The pipeline that goes with a picture: everything expanded, and every picture file named as it was found,
// so that it runs from the current folder wherever the file itself is put.
#include <memory>
#include <string>
#include <vector>

#include "framework/exec/session.h"

namespace gramflow {

/// "" when the source has errors. `stages` are those that were compiled from `source`.
std::string canonical_pipeline(const PipelineSource& source,
                               const std::vector<std::unique_ptr<CompiledStage>>& stages,
                               const NodeTypes& types);

}  // namespace gramflow
