#pragma once
// What a pipeline of a stranger may name: files in its own folder, pictures to write in the current one.
#include <string>

#include "framework/config/value.h"

namespace gramflow {

/// "" when a path that stands in such a pipeline is fine as it is written: relative, without "..".
std::string untrusted_spelling_problem(const std::string& path);

/// "" when what was found lies in the folder, links followed; `path` need not be there yet.
std::string untrusted_place_problem(const std::string& path, const std::string& folder);

/// Whether the user typed this, who may name what they like.
bool was_typed(const Value& value);

}  // namespace gramflow
