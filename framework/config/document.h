#pragma once
// A pipeline file with everything expanded: includes read, subgraphs put in, variables replaced, overrides
// applied. Node parameters are still undecoded Values: what they mean is the node types' business.
//
// Order of what wins for a variable: the file's `vars:` < a schedule stage's `set:` < --set. The same for
// nodes.ID.PARAMETER.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/checkpoint_key.h"
#include "framework/config/value.h"

namespace gramflow {

/// `--set key=value` of a command line. The value is YAML (1e3, [a, b], {factor: 0.5}).
struct Override {
  std::string key;  ///< "style_weight" or "nodes.result.iterations" or "nodes.result.decay.factor"
  std::string value;
};

/// One node as written, after expansion.
struct NodeEntry {
  std::string id;  ///< "style_loss"; of a subgraph's node "restyle/style_loss"
  Span id_span;
  std::string type;  ///< "" after a mistake that was reported: the node only stands for its name
  Span type_span;
  std::vector<Entry> entries;  ///< everything but `type`, variables replaced
  std::vector<Note> notes;     ///< "in subgraph 'restyle', used here"
};

struct Document {
  std::vector<NodeEntry> nodes;  ///< in file order, subgraph nodes at the place of their use
  Span nodes_span;
  std::vector<std::string> subgraphs;       ///< names that may stand for a type, for suggestions
  std::optional<CheckpointKey> checkpoint;  ///< of the main file
  int stages = 1;                           ///< entries of `schedule:`, at least 1
  std::string directory;   ///< folder of the main file ("." for a bare name): relative paths start here
  std::string file_name;   ///< as the user wrote it
  bool untrusted = false;  ///< as its source
  std::vector<std::string> included;  ///< paths of the files that were included
  const NodeEntry* find(std::string_view id) const;
};

struct PipelineSource {
  std::shared_ptr<const SourceFile> file;
  std::vector<Override> overrides;
  bool untrusted =
      false;  ///< what a stranger wrote: no file outside of the pipeline's folder, no environment
  std::vector<std::string>
      include_folders;  ///< where `include:` looks after the folder of the including file
};

/// Whether a key of a node of this type is an input port, so that its value refers to nodes. Subgraphs need
/// it: names inside of one become full ids ("restyle/picture"). Where none is given, every text that is the
/// name of a node counts.
using IsPort = std::function<bool(std::string_view type, std::string_view key)>;

}  // namespace gramflow
