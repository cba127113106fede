#pragma once
// What a reflecting or replicating border adds to a data gradient computed as if the border were zeros: the
// one-pixel ring around the picture is a copy of pixels inside, so its gradient belongs to them.
#include <vector>

#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

class BorderGradient {
 public:
  /// For a 3x3 filter with padding 1.
  explicit BorderGradient(const Filter& filter);
  static std::size_t weight_bytes(const Filter& filter);
  /// Floats of scratch a worker needs.
  static std::size_t worker_floats(const Filter& filter);
  /// Adds to gradient.result where its mask allows. `scratch` holds worker_limit() * worker_floats.
  void add(const ConvolutionGradient& gradient, Shape input, float* scratch) const;

 private:
  Filter filter_;
  std::vector<float> weights_;  ///< 3 x 3 x out x in
};

}  // namespace gramflow::cpu
