#pragma once
// The text of a progress line. Pure.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "framework/observers/observer.h"

namespace gramflow {

struct ProgressNumbers {
  int stage = 0;  ///< from 0
  int stages = 1;
  std::string_view optimizer;  ///< named where there are several; "" otherwise
  std::int64_t done = 0;
  std::int64_t iterations = 0;
  double share = 0;  ///< of the run
  double seconds_per_iteration = 0;
  double seconds_left = 0;
  double total = 0;
};

/// Not wider than `columns` (0: as wide as it gets, without a bar). What is kept, in this order: how far, the
/// loss, the time left, the rate, a bar, the losses one by one.
std::string progress_line(const ProgressNumbers& numbers, std::span<const ReportedLoss> losses, int columns);

/// "3.25 it/s" or "12.5 s/it".
std::string rate_text(double seconds_per_iteration);

}  // namespace gramflow
