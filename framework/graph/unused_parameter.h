#pragma once
// Parameters that do nothing together with a choice that another one makes.
#include <string>
#include <string_view>

#include "framework/graph/lower.h"

namespace gramflow {

/// Warns that the parameter `key` does nothing because of what `chooser` says (`decay` and `method: lbfgs`),
/// if it was written for that choice: typed, or in the file that makes the choice. What a recipe has for its
/// own choice is silent when somebody else chooses otherwise.
void warn_unused_parameter(LowerContext& context, std::string_view key, std::string_view chooser,
                           const std::string& message);

}  // namespace gramflow
