#pragma once
// What a use of a subgraph gives to what is inside of it.
#include "framework/config/levels.h"

namespace gramflow {

/// Gives the inputs and parameters of a use to the level inside of it.
void bind_use(Level& inside, const NodeEntry& use, Scope& global, Substitution& substitution,
              Diagnostics& diagnostics);

}  // namespace gramflow
