#pragma once
// Every file that a run will write, known before it starts: told apart from each other and from everything that is
// read, and locked, so that a second run onto one of them is told who is at work.
#include <memory>
#include <string>
#include <vector>

#include "framework/base/output_lock.h"
#include "framework/base/source.h"
#include "framework/exec/compile_stage.h"

namespace gramflow {

struct WrittenFile {
  std::string what;  ///< "the log"; of a Save "the picture of 'save'"
  std::string path;  ///< {iteration} and {stage} stand for numbers
  Span span;         ///< where it is named, if in a file
};

class WrittenFiles {
 public:
  /// The pictures of all stages. What is read: the files of the pipeline and all that its nodes read.
  WrittenFiles(const std::vector<std::unique_ptr<CompiledStage>>& stages,
               const std::vector<std::string>& pipeline_files);
  void add(WrittenFile file) { written_.push_back(std::move(file)); }
  void reads(std::string what, std::string path);

  /// Throws InvalidPipeline for two of the same name, one that is read, and one that is no file (a device, a pipe, a
  /// folder). Pictures among themselves are the pipeline's business.
  void check() const;
  /// Locks all, removes what dead processes left beside them. Throws MissingResource for one that is at work.
  std::vector<OutputLock> lock(const std::string& pipeline) const;
  /// First picture that is not a preview's, else the first; "" when there is none.
  const std::string& first_picture() const { return first_picture_; }

 private:
  struct ReadFile {
    std::string what;
    std::string path;
  };
  std::vector<WrittenFile> written_;
  std::vector<ReadFile> read_;
  std::size_t pictures_ = 0;  // of written_, the first ones
  std::string first_picture_;
};

/// Whether a path with {iteration} and {stage} in its last part may become another path.
bool may_become(const std::string& pattern, const std::string& path);

}  // namespace gramflow
