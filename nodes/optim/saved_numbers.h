#pragma once
// Takes the numbers of an OptimizerState back in the order in which they were handed out, and refuses a state
// that is somebody else's.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "framework/ops/optimization_method.h"

namespace gramflow {

class SavedNumbers {
 public:
  /// `saved` is borrowed. Throws std::invalid_argument when it is not of this layout.
  SavedNumbers(const OptimizerState& saved, const std::string& layout);
  /// Throws std::invalid_argument when the next one is missing or, for counts, not in [low, high].
  std::int64_t count(std::int64_t low = 0, std::int64_t high = std::numeric_limits<std::int64_t>::max());
  bool flag() { return count(0, 1) == 1; }
  double number();
  /// Throws std::invalid_argument when there are more than were asked for.
  void finish() const;

 private:
  const OptimizerState& saved_;
  std::size_t counts_ = 0, numbers_ = 0;  // taken so far
};

}  // namespace gramflow
