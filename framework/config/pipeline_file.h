#pragma once
// The top level of pipeline files, before anything is expanded: what is declared where.
#include <map>
#include <string>
#include <vector>

#include "framework/config/document.h"
#include "framework/config/settings.h"
#include "framework/config/subgraph.h"
#include "framework/config/variables.h"

namespace gramflow {

/// Everything that a pipeline and the files it includes declare.
struct Declarations {
  std::map<std::string, Variable, std::less<>> variables;
  std::vector<std::string> main_variables;  ///< of the main file, in order
  std::vector<Entry> nodes;
  Span nodes_span;
  std::map<std::string, Subgraph, std::less<>> subgraphs;
  std::vector<std::vector<Setting>> stages;
  std::vector<std::string> included;  ///< paths of the files that were included
  ValuePtr checkpoint;                ///< as written in the main file; null when there is none
};

/// Reads the main file and all it includes; reports what is wrong with their top levels and with
/// declarations.
Declarations read_declarations(const PipelineSource& source, Diagnostics& diagnostics);

}  // namespace gramflow
