#pragma once
// The top level of pipeline files, before anything is expanded: what is declared where.
#include <map>
#include <string>
#include <vector>

#include "framework/config/document.h"
#include "framework/config/settings.h"
#include "framework/config/variables.h"

namespace gramflow {

/// An input or parameter in the declaration of a subgraph.
struct SubgraphParameter {
  std::string name;
  Span span;
  ValuePtr value;  ///< the default; null when there is none
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

/// Everything that a pipeline and the files it includes declare.
struct Declarations {
  std::map<std::string, Variable, std::less<>> variables;
  std::vector<std::string> main_variables;  ///< of the main file, in order
  std::vector<Entry> nodes;
  Span nodes_span;
  std::map<std::string, Subgraph, std::less<>> subgraphs;
  std::vector<std::vector<Setting>> stages;
};

/// Reads the main file and all it includes; reports what is wrong with their top levels and with
/// declarations.
Declarations read_declarations(const PipelineSource& source, Diagnostics& diagnostics);

/// The declaration of one subgraph, checked as far as it can be on its own.
Subgraph read_subgraph(const Entry& entry, Diagnostics& diagnostics);

}  // namespace gramflow
