#pragma once
// From values to YAML text.
#include <string>

#include "framework/config/value.h"

namespace gramflow {

/// Block YAML text that reads back to the same values.
std::string to_yaml(const Value& value);
/// The same on one line: [a, b], {factor: 0.8}.
std::string to_flow_yaml(const Value& value);

}  // namespace gramflow
