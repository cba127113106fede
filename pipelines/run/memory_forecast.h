#pragma once
// Whether a run has the memory that its plan asks for, before it starts.
#include <memory>
#include <string>
#include <vector>

#include "framework/base/available_memory.h"
#include "framework/exec/compile_stage.h"

namespace gramflow {

/// "" when the largest stage fits; otherwise what it takes, what there is, and what to change.
std::string memory_problem(const std::vector<std::unique_ptr<CompiledStage>>& stages,
                           const AvailableMemory& available);

}  // namespace gramflow
