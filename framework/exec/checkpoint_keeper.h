#pragma once
// When a run writes what it needs to go on, and how another process takes it up again.
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/checkpoint/checkpoint_store.h"
#include "framework/exec/session.h"

namespace gramflow {

/// When checkpoints are written; where both are set, either is enough.
struct CheckpointRhythm {
  std::int64_t iterations = 0;  ///< after so many, of any loop; 0: not by number
  double first_seconds = 0;     ///< the first one no sooner than this after the run's start
  double seconds = 0;           ///< after so many; 0: not by time
  /// Of the time that goes by, the share that may be spent on writing; 0: any. Where writing is slow the rhythm
  /// slows down.
  double most_share = 0;
};

/// One run's. Used by its driver, in one thread.
class CheckpointKeeper {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  /// `identity`: the head without stage, loop and vectors.
  CheckpointKeeper(
      std::string path, CheckpointRhythm rhythm, CheckpointHead identity,
      Clock clock = [] { return std::chrono::steady_clock::now(); });

  const std::string& path() const { return store_.path(); }
  /// Counts an iteration; whether it is time to write.
  bool due_after_iteration();
  /// Whether a run that is stopped now has lasted long enough to leave one.
  bool wanted_at_stop() const;
  /// Writes where the run stands: `carried` from the stage before, `finished` of the loops before this one. ""
  /// or why it could not be done.
  std::string write(int stage, const Session& session, std::span<const Canvas> carried,
                    std::span<const Canvas> finished);
  /// Where it has written anything.
  bool written() const { return written_ > 0; }
  /// After a run that has succeeded.
  void remove() const { store_.remove(); }

 private:
  CheckpointStore store_;
  CheckpointRhythm rhythm_;
  CheckpointHead identity_;
  Clock clock_;
  std::chrono::steady_clock::time_point start_, last_;
  double spent_ = 0;  // seconds that the last one took
  std::int64_t iterations_ = 0;
  int written_ = 0;
};

/// Vectors of a checkpoint, by kind.
std::string carried_name(const std::string& node);
std::string finished_name(const std::string& node);

/// Fills a session that has begun the loop of the checkpoint. Throws RunError when the checkpoint is not of this
/// pipeline.
void restore_loop(const CheckpointFile& file, Session& session);

}  // namespace gramflow
