#pragma once
// A proof that a plan cannot go wrong in memory, whatever order an executor runs operations in, however often
// previews and optimisers come in between.
#include <string>
#include <vector>

#include "framework/compile/plan.h"

namespace gramflow {

/// What is not proven, one sentence each; empty when the plan is right. It looks at the finished plan alone
/// (offsets, edges, sets), not at how the planner came to it. Time grows with the pairs of operations that
/// share memory.
std::vector<std::string> verify(const Plan& plan);

}  // namespace gramflow
