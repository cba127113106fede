#pragma once
// A subgraph as a file declares it, before anything is expanded.
#include <string>
#include <vector>

#include "framework/config/value.h"

namespace gramflow {

/// An input or parameter in the declaration of a subgraph.
struct SubgraphParameter {
  std::string name;
  Span span;
  ValuePtr value;  ///< the default; null when there is none. Of an input: a node inside, or another input
};

/// A piece of a pipeline that is used like a node type.
struct Subgraph {
  std::string name;
  Span name_span;
  std::vector<SubgraphParameter> inputs;
  std::vector<SubgraphParameter> parameters;
  std::vector<Entry> outputs;  ///< name: node inside, or node.port
  std::vector<Entry> nodes;
  bool outputs_known = true;  ///< false when some were dropped with a report
  bool used = false;
};

/// The declaration of one subgraph, checked as far as it can be on its own.
Subgraph read_subgraph(const Entry& entry, Diagnostics& diagnostics);

}  // namespace gramflow
