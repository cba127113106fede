#pragma once
// All passes from a lowered program to a plan.
#include "framework/compile/plan.h"

namespace gramflow {

/// Every pass in its order, then make_plan(). Throws NoGradient (framework/compile/passes.h). Debug builds
/// verify() every plan.
Plan compile(Program program, const Devices& devices);

}  // namespace gramflow
