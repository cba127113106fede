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
  bool used = true;                       ///< a Save or an optimiser depends on it
  /// The loop in which it runs, -1: none. A node is in a loop when it lies between that optimiser's canvas
  /// and its losses; an optimiser is in its own.
  int loop = -1;
  /// The straight section in which it runs, -1: none. A node of a loop has one, too, when something outside
  /// of the loop reads it: there it runs once more, on the finished canvas.
  int straight = -1;
  /// By output port.
  std::vector<PortKind> kinds;

  const std::string& id() const { return entry.id; }
  /// Place of a parameter's or port's value, or of the node when it is not written.
  Span span_of(std::string_view key) const;
  const Value* value_of(std::string_view key) const;
};

/// A node at one of the places where it runs.
struct Placed {
  int node = -1;
  int section = 0;  ///< as in a Program
};

struct Graph {
  std::vector<Node> nodes;      ///< as in the document
  std::vector<Placed> order;    ///< used nodes, section by section, producers before consumers
  std::vector<int> optimizers;  ///< indices, in the order their loops run
  std::string directory;        ///< relative paths start here
  std::unordered_map<std::string, int> by_id;
  /// Index of a node, -1 when there is none.
  int find(const std::string& id) const;
};

/// Finds types, decodes parameters, resolves references, checks kinds, finds cycles, infers sections. Reports
/// every mistake; the graph may be lowered only when there were none. `types` must outlive the graph.
Graph link(const Document& document, const NodeTypes& types, Diagnostics& diagnostics);

/// "prologue", "loop of a", ...: as Program::section_name().
std::string section_name(const Graph& graph, int section);
/// One line a node: section, id, type, wires.
std::string to_string(const Graph& graph);

}  // namespace gramflow
