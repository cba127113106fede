#pragma once
// Whether numbers look learned, at a glance.
#include <cstdint>
#include <span>
#include <string>

namespace gramflow {

struct WeightStatistics {
  double mean = 0;
  double deviation = 0;
  double smallest = 0;
  double largest = 0;
  double kurtosis = 0;  ///< 1.8 for uniform numbers, 3 for normal ones, more for learned weights
  double unevenness =
      0;  ///< spread of the filters' norms over what it is for independent numbers: 1 when random
  std::int64_t silent = 0;  ///< filters that are all zero
  std::int64_t filters = 0;
  std::int64_t count = 0;  ///< of numbers
};

/// `weights` are `filters` filters of equal size, one after the other.
WeightStatistics weight_statistics(std::span<const float> weights, std::int64_t filters);
/// "trained", "random (uniform)", "random (normal)", "constant", "unclear".
std::string weight_verdict(const WeightStatistics& statistics);

}  // namespace gramflow
