#include "nodes/optim/saved_numbers.h"

#include <fmt/format.h>

#include <stdexcept>

namespace gramflow {
namespace {

[[noreturn]] void refuse_length(const OptimizerState& saved) {
  throw std::invalid_argument(
      fmt::format("the saved state '{}' does not have as many numbers as it should", saved.layout));
}

}  // namespace

SavedNumbers::SavedNumbers(const OptimizerState& saved, const std::string& layout) : saved_(saved) {
  if (saved.layout != layout)
    throw std::invalid_argument(
        fmt::format("the saved state is '{}'; this run needs '{}'", saved.layout, layout));
}

std::int64_t SavedNumbers::count(std::int64_t low, std::int64_t high) {
  if (counts_ == saved_.counts.size()) refuse_length(saved_);
  const std::int64_t value = saved_.counts[counts_++];
  if (value < low || value > high)
    throw std::invalid_argument(fmt::format("the saved state '{}' has {} where {} to {} are possible",
                                            saved_.layout, value, low, high));
  return value;
}

double SavedNumbers::number() {
  if (numbers_ == saved_.numbers.size()) refuse_length(saved_);
  return saved_.numbers[numbers_++];
}

void SavedNumbers::finish() const {
  if (counts_ != saved_.counts.size() || numbers_ != saved_.numbers.size()) refuse_length(saved_);
}

}  // namespace gramflow
