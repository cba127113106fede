#pragma once
// What a picture says of how it was made: comment lines, then the pipeline that makes it again. The same text goes
// into the picture and into the sidecar beside it, `PICTURE.gramflow.yaml`.
#include <map>
#include <string>
#include <vector>

#include "framework/checkpoint/checkpoint_head.h"
#include "framework/graph/lower.h"
#include "pipelines/canonical_pipeline.h"

namespace gramflow {

/// The first line of every such text: what may be replaced by one.
inline constexpr std::string_view provenance_mark = "# gramflow provenance 1\n";

class Provenance {
 public:
  /// All borrowed. `stages`: how many. `iterations`: of each stage, by optimiser, as the pipeline asks for them.
  Provenance(const CanonicalPipeline& canonical, const NodeTypes& types,
             std::vector<CheckpointSource> sources, std::string program,
             std::vector<std::map<std::string, std::int64_t>> iterations);

  /// No time stamps and no values of the environment: the same run says the same.
  std::string text(const MadePicture& picture) const;
  /// The same, as long as it has room in a picture's metadata: without the pipeline if need be.
  std::string text_within(const MadePicture& picture) const;

 private:
  const CanonicalPipeline& canonical_;
  const NodeTypes& types_;
  std::vector<CheckpointSource> sources_;
  std::string program_;
  std::vector<std::map<std::string, std::int64_t>> iterations_;
};

/// "out/r.png.gramflow.yaml"
std::string sidecar_of(const std::string& picture);

/// Writes the sidecar whole, over an older one but over nothing else. "" or why it was not written.
std::string write_sidecar(const std::string& picture, const std::string& text);

/// What a picture, or else the sidecar beside it, says; "" for nothing.
std::string provenance_of(const std::string& picture);

}  // namespace gramflow
