#pragma once
// The pipeline that goes with a picture: everything expanded, and every file that is read named so that the
// text means the same wherever it is put.
#include <map>
#include <string>
#include <vector>

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
  /// What is read named by its contents (`xxh128:...`): the same wherever it lies.
  std::string by_content() const;
  /// Paths relative to the folder of a file that it is written beside, and values of environment variables as
  /// `${env:NAME}`: what is put into files that travel. `tree`: root(), or one made of parts of it.
  std::string beside(const std::string& file, const ValuePtr& tree) const;
  /// Null after mistakes.
  const ValuePtr& root() const { return root_; }
  /// The files that the pipeline names, absolute.
  std::vector<std::string> files() const;

 private:
  template <class Spell>
  std::string spelled(const Spell& spell) const;
  /// Notes the leaves of `spelled`, a copy of `value`, that came from the environment.
  ValuePtr note_environment(const ValuePtr& value, ValuePtr spelled);

  ValuePtr root_;
  std::vector<ValuePtr> kept_;  ///< values that the maps below know, so that no other gets their address
  std::map<const Value*, std::string>
      files_;  ///< values in the tree that name files, and their absolute paths
  std::map<const Value*, std::string>
      environment_;  ///< values in it that hold some of the environment, as written
};

}  // namespace gramflow
