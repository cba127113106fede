#pragma once
// The pipeline that goes with a picture: everything expanded, and every file that is read named so that the
// text means the same wherever it is put.
#include <map>
#include <string>

#include "framework/config/document.h"
#include "framework/graph/node_type.h"

namespace gramflow {

class CanonicalPipeline {
 public:
  /// Expands all stages of the source; mistakes are reported, and then every text is "".
  CanonicalPipeline(const PipelineSource& source, const NodeTypes& types, Diagnostics& diagnostics);

  /// Paths as the current folder names them: what is hashed, since it is the same wherever the text comes
  /// from.
  std::string here() const;
  /// Absolute paths: a text that may be put anywhere.
  std::string anywhere() const;
  /// Paths relative to the folder of a file that it is written beside.
  std::string beside(const std::string& file) const;

 private:
  template <class Spell>
  std::string spelled(const Spell& spell) const;

  ValuePtr root_;
  std::map<const Value*, std::string>
      files_;  ///< values in the tree that name files, and their absolute paths
};

}  // namespace gramflow
