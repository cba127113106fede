// Initialisers draw independent numbers, uniform (kurtosis 1.8) or normal (3), so all filters of a layer have
// about the same norm: for n independent numbers of kurtosis k the relative spread of the norm is sqrt((k -
// 1) / (4 n)). Training gives a few large numbers among many small ones, and filters of very different
// strength.
#include "nodes/weights/weight_statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gramflow {

WeightStatistics weight_statistics(std::span<const float> weights, std::int64_t filters) {
  WeightStatistics result;
  result.filters = filters;
  result.count = static_cast<std::int64_t>(weights.size());
  if (weights.empty() || filters <= 0) return result;
  const auto count = static_cast<double>(weights.size());
  double sum = 0;
  for (const float value : weights) sum += value;
  result.mean = sum / count;
  double second = 0;
  double fourth = 0;
  for (const float value : weights) {
    const double square = (value - result.mean) * (value - result.mean);
    second += square;
    fourth += square * square;
  }
  const auto [smallest, largest] = std::minmax_element(weights.begin(), weights.end());
  result.smallest = *smallest;
  result.largest = *largest;
  result.deviation = std::sqrt(second / count);
  if (second > 0) result.kurtosis = fourth * count / (second * second);

  const std::size_t size = weights.size() / static_cast<std::size_t>(filters);
  std::vector<double> norms;
  for (std::size_t begin = 0; size > 0 && begin + size <= weights.size(); begin += size) {
    double squares = 0;
    for (const float value : weights.subspan(begin, size)) squares += static_cast<double>(value) * value;
    norms.push_back(std::sqrt(squares));
    if (squares == 0) ++result.silent;
  }
  double norm_mean = 0;
  for (const double norm : norms) norm_mean += norm / static_cast<double>(norms.size());
  double norm_variance = 0;
  for (const double norm : norms)
    norm_variance += (norm - norm_mean) * (norm - norm_mean) / static_cast<double>(norms.size());
  const double expected = std::sqrt(std::max(result.kurtosis - 1, 0.1) / (4.0 * static_cast<double>(size)));
  if (norm_mean > 0) result.unevenness = std::sqrt(norm_variance) / norm_mean / expected;
  return result;
}

std::string weight_verdict(const WeightStatistics& statistics) {
  if (statistics.deviation == 0) return "constant";
  // Both measures scatter the less the more numbers there are; four times their scatter is no accident.
  const double filters = std::max(1.0, static_cast<double>(statistics.filters));
  const double numbers = std::max(1.0, static_cast<double>(statistics.count));
  const double uneven = 1 + 4 / std::sqrt(2 * filters);
  const double heavy = 3 + std::max(0.3, 4 * std::sqrt(24 / numbers));
  if (statistics.unevenness > uneven || statistics.kurtosis > heavy) return "trained";
  if (std::fabs(statistics.kurtosis - 1.8) < 0.15) return "random (uniform)";
  if (std::fabs(statistics.kurtosis - 3) < 0.25) return "random (normal)";
  return "unclear";
}

}  // namespace gramflow
