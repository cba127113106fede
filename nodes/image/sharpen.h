#pragma once
// Unsharp masking: what a blur takes away is added once more.
#include <span>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow {

/// One sharpening made ready: the blur's weights are computed here, so that run() only multiplies and adds.
/// Immutable; run() may be called from several threads with different memory. Same bits for any thread count.
class Sharpener {
 public:
  /// `radius`: standard deviation of the Gaussian blur in pixels, > 0. `amount`: how much of the difference
  /// is added.
  Sharpener(PictureSize size, double radius, double amount);
  /// Floats of scratch memory that run() needs.
  std::size_t scratch_floats() const { return size_.floats(); }
  /// to = clamp(from + amount * (from - blur(from)), 0, 1); pixels outside are those at the border. `from`
  /// and `to` hold size.floats() values and may be the same memory. Starts parallel loops. Allocates nothing.
  void run(std::span<const float> from, std::span<float> to, std::span<float> scratch) const;

 private:
  PictureSize size_;
  float amount_;
  std::vector<float> weights_;  ///< from the middle outwards; both sides together sum to 1
};

}  // namespace gramflow
