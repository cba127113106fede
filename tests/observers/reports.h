#pragma once
// A run to be observed, without an engine.
#include <string>
#include <vector>

#include "framework/observers/observer.h"

namespace gramflow::test {

inline LoopStart loop(int stage, std::int64_t width, std::int64_t height, std::int64_t iterations) {
  return {stage, 0, "result", width, height, iterations, "adam"};
}
inline StageStart stage(int number, std::int64_t width, std::int64_t height, std::int64_t iterations) {
  return {number, std::uint64_t{100} << 20, {loop(number, width, height, iterations)}};
}

/// Two loss nodes, one with layers.
class Reports {
 public:
  IterationReport at(std::int64_t iteration, std::int64_t iterations, double seconds = 0.5, int stage = 0) {
    losses_ = {{"content_loss", 2.5, {}}, {"style_loss", 7.5, {{"relu1_1", 3.0}, {"relu2_1", 4.5}}}};
    IterationReport report;
    report.stage = stage;
    report.optimizer = "result";
    report.iteration = iteration;
    report.iterations = iterations;
    report.total = 10;
    report.losses = losses_;
    report.gradient_norm = 0.25;
    report.seconds = seconds;
    report.evaluations = 1;
    return report;
  }

 private:
  std::vector<ReportedLoss> losses_;
};

}  // namespace gramflow::test
