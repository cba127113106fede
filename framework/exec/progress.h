#pragma once
// How far a run is and how long it will take, from what its iterations took so far.
#include <cstdint>
#include <vector>

#include "framework/exec/observer.h"

namespace gramflow {

class Progress {
 public:
  Progress() = default;
  explicit Progress(const std::vector<StageStart>& stages);
  void begin_stage(int stage);
  /// After an iteration: how many of the stage are done, and what the last one took.
  void add(std::int64_t done, double seconds);

  /// Of the whole run, 0 to 1; stages weigh by their pixels and iterations. 1 when there is nothing to do.
  double share() const;
  /// Of an iteration, as the last dozen took; 0 before the first.
  double seconds_per_iteration() const { return seconds_; }
  /// To the end of the last stage, assuming that time grows with the number of pixels.
  double seconds_left() const;

 private:
  struct Work {
    double pixels = 1;
    double iterations = 0;
  };
  std::vector<Work> stages_;
  std::size_t stage_ = 0;
  double done_ = 0;     // iterations of this stage
  double seconds_ = 0;  // of an iteration, smoothed
  int measured_ = 0;    // iterations in this stage
};

}  // namespace gramflow
