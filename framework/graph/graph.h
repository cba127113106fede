#pragma once
// A linked pipeline: typed nodes with decoded parameters and checked wires. Knows no shapes and no memory.
#include <any>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "framework/config/document.h"
#include "framework/graph/node_type.h"
#include "framework/ops/program.h"

namespace gramflow {

/// Where a wire comes from.
struct Wire {
  int node = -1;
  int output = -1;
  Span span;  ///< of the reference in the file
  bool linked() const { return node >= 0; }
};

struct Node {
  NodeEntry entry;
  const NodeType* type = nullptr;
  std::any parameters;
  std::vector<std::vector<Wire>> inputs;  ///< by input port, then by position in a list
  Phase phase = Phase::prologue;
  bool used = true;  ///< a Save or the optimiser depends on it

  const std::string& id() const { return entry.id; }
  /// Place of a parameter's or port's value, or of the node when it is not written.
  Span span_of(std::string_view key) const;
  const Value* value_of(std::string_view key) const;
};

struct Graph {
  std::vector<Node> nodes;  ///< as in the document
  std::vector<int> order;   ///< indices of used nodes, producers before consumers
  int optimizer = -1;       ///< index of the optimiser, -1 without
  std::string directory;    ///< relative paths start here
  std::unordered_map<std::string, int> by_id;
  /// Index of a node, -1 when there is none.
  int find(const std::string& id) const;
};

/// Finds types, decodes parameters, resolves references, checks kinds, finds cycles, infers phases. Reports
/// every mistake; the graph may be lowered only when there were none. `types` must outlive the graph.
Graph link(const Document& document, const NodeTypes& types, Diagnostics& diagnostics);

/// One line a node: phase, id, type, wires.
std::string to_string(const Graph& graph);

}  // namespace gramflow
