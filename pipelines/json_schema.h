#pragma once
// The language as a JSON Schema (draft-07, which the YAML language server takes): completion and hover text
// for node types, ports and parameters.
#include <string>

#include "framework/graph/node_type.h"

namespace gramflow {

std::string json_schema(const NodeTypes& types);

}  // namespace gramflow
