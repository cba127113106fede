#pragma once
// Copies of values that say how they came to stand elsewhere.
#include <cstddef>

#include "framework/config/value.h"

namespace gramflow {

/// More values are added by aliases and variables than a file may have.
struct TooManyValues {};
/// Lists and maps nested deeper than a file may, once aliases and variables are put in.
struct TooDeep {};

/// A deep copy in which every part has `note`, so that a mistake found in any of them can show it. Adds the
/// number of copied values to `count` and throws TooManyValues or TooDeep at the limits of yaml_text.h.
ValuePtr copy_with_note(const ValuePtr& value, const Note& note, std::size_t& count, int depth = 0);

}  // namespace gramflow
