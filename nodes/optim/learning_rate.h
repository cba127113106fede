#pragma once
// A learning rate over the iterations of a run: it may grow in the beginning and falls in steps or along half a
// cosine. A pure function of the iteration, so that there is nothing to remember.
#include <cstdint>

namespace gramflow {

struct LearningRate {
  LearningRate(double constant) : rate(constant) {}

  double rate;
  enum class Decay { none, steps, cosine } decay = Decay::none;
  double factor = 1;            ///< steps: multiplied by it ...
  std::int64_t every = 1;       ///< ... every so many iterations
  double to = 0;                ///< cosine: share of the rate that it comes down to ...
  std::int64_t iterations = 1;  ///< ... in so many iterations
  std::int64_t warm_up = 0;     ///< iterations in which it grows in equal steps to what it would be

  /// `iteration` from 0.
  double at(std::int64_t iteration) const;
};

}  // namespace gramflow
