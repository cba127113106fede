#pragma once
// The language as a JSON Schema (draft-07), for editors.
#include <string>
#include <vector>

#include "framework/graph/node_type.h"

namespace gramflow {

/// Made from the node types' declarations. `layers` are the names of all networks' layers: they complete, and
/// a name that looks like one of them but is none is marked. Tried with yaml-language-server 1.25, whose ways
/// explain the form: alternatives carry no descriptions of their own, and there is no title, which it would
/// show everywhere.
std::string json_schema(const NodeTypes& types, const std::vector<std::string>& layers);

}  // namespace gramflow
