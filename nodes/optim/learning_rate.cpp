#include "nodes/optim/learning_rate.h"

#include <algorithm>
#include <cmath>

namespace gramflow {

double LearningRate::at(std::int64_t iteration) const {
  double now = rate;
  if (decay == Decay::steps) now = rate * std::pow(factor, static_cast<double>(iteration / every));
  if (decay == Decay::cosine) {
    const double share = std::min(1.0, static_cast<double>(iteration) / static_cast<double>(iterations));
    now = rate * (to + (1 - to) * (1 + std::cos(3.14159265358979323846 * share)) / 2);
  }
  if (iteration + 1 < warm_up) now *= static_cast<double>(iteration + 1) / static_cast<double>(warm_up);
  return now;
}

}  // namespace gramflow
