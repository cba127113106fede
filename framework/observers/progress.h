#pragma once
// How far a run is and how long it will take, from what its iterations took so far.
#include <cstdint>
#include <vector>

#include "framework/observers/observer.h"

namespace gramflow {

class Progress {
 public:
  Progress() = default;
  explicit Progress(const std::vector<StageStart>& stages);
  void begin(int stage, int loop);
  /// After an iteration: how many of the loop are done, and what the last one took.
  void add(std::int64_t done, double seconds);

  /// Of the whole run, 0 to 1; loops weigh by their pixels and iterations. 1 when there is nothing to do.
  double share() const;
  /// Of an iteration, as the last dozen took; 0 before the first.
  double seconds_per_iteration() const { return seconds_; }
  /// To the end of the last loop, assuming that time grows with the number of pixels.
  double seconds_left() const;

 private:
  struct Work {
    int stage = 0;
    int loop = 0;
    double pixels = 1;
    double iterations = 0;
  };
  std::vector<Work> works_;
  std::size_t now_ = 0;  // which of them
  double done_ = 0;      // iterations of it
  double seconds_ = 0;   // of an iteration, smoothed
  int measured_ = 0;     // iterations of it
};

}  // namespace gramflow
