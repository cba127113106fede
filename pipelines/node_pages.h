#pragma once
// Node types as text, as JSON and as the generated pages of docs/nodes: all from the same description.
#include <map>
#include <string>

#include "framework/graph/node_type.h"

namespace gramflow {

std::string node_list(const NodeTypes& types);
std::string node_text(const NodeType& type);
std::string node_json(const NodeType& type);
std::string nodes_json(const NodeTypes& types);

/// File name -> Markdown: one page a node type and an index.
std::map<std::string, std::string> node_pages(const NodeTypes& types);
/// Writes them; throws RunError.
void write_node_pages(const NodeTypes& types, const std::string& folder);

}  // namespace gramflow
