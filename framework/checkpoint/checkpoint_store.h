#pragma once
// The place of a run's checkpoints: the newest one, and the one before in case the newest is damaged.
#include <memory>
#include <string>
#include <vector>

#include "framework/checkpoint/checkpoint_file.h"

namespace gramflow {

/// What was found at a place.
struct FoundCheckpoint {
  std::unique_ptr<CheckpointFile> file;  ///< null when there is none that is whole
  std::vector<std::string> damaged;      ///< one sentence for each that is not, the path in front
};

class CheckpointStore {
 public:
  explicit CheckpointStore(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  /// Where the one before is kept.
  std::string older() const { return path_ + ".older"; }

  /// At every moment a whole checkpoint stays under one of the two names. Throws RunError.
  void write(const CheckpointHead& head, std::span<const std::span<const float>> vectors);
  /// The newest whole one.
  FoundCheckpoint find() const;
  /// Both, if they are checkpoints.
  void remove() const;
  /// "" when both names are free or hold checkpoints; otherwise which one is something else.
  std::string in_the_way() const;

 private:
  std::string path_;
  bool newest_is_whole_ = false;  // known to be
};

}  // namespace gramflow
