#pragma once
// The tree of a pipeline whose subgraphs are opened: a level is the file's nodes, or the nodes inside of one
// use of a subgraph.
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "framework/config/pipeline_file.h"

namespace gramflow {

struct Level;

/// A node of a level; a use of a subgraph has a level of its own.
struct LevelNode {
  NodeEntry entry;  ///< with its full id; variables replaced, settings applied, references as written
  std::unique_ptr<Level> inside;
};

struct Level {
  const Level* parent = nullptr;
  const Subgraph* subgraph = nullptr;  ///< null for the file
  std::string prefix;                  ///< "restyle/" in front of ids
  Scope scope;
  std::vector<LevelNode> nodes;
  std::unordered_map<std::string, std::size_t> by_name;  ///< as written inside of this level
  std::vector<Entry> inputs;  ///< of the use: input and what it is connected to in the parent
  std::vector<Note> notes;    ///< where it is used
  bool opened = false;        ///< its nodes are here; not after a ring that was reported
};

/// Rewrites the references of all nodes to full ids and appends them to `nodes`, uses replaced by what is
/// inside of them.
void flatten(const Level& level, const IsPort& is_port, std::vector<NodeEntry>& nodes,
             Diagnostics& diagnostics);

}  // namespace gramflow
