#pragma once
// Watches a loop for what ends well and is useless: losses that move nothing, pictures that are mostly black and
// white, losses that explode. Says what is the likely cause and where to change it. Sees the canvas and the
// reports only.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/observers/observer.h"

namespace gramflow {

class RunWatch {
 public:
  /// `where` is put in front of every text: "a.yaml:12:3: 'result'". `method` is "adam" or "lbfgs".
  RunWatch(std::string where, std::string method) : where_(std::move(where)), method_(std::move(method)) {}

  /// After each iteration, with a number that differs when the canvas does. What there is to say now; mostly
  /// nothing.
  std::vector<std::string> iteration(const IterationReport& report, std::uint64_t canvas);
  /// At the end of the loop.
  std::vector<std::string> end(const LoopResult& result);
  /// After end(): nothing that anybody could want came out, and why; else "".
  const std::string& useless() const { return useless_; }

 private:
  std::string worst(std::span<const ReportedLoss> losses) const;

  std::string where_, method_;
  std::vector<ReportedLoss> first_;  // losses of the first iteration
  double start_ = 0;
  double largest_gradient_ = 0;
  std::uint64_t canvas_ = 0;
  int still_ = 0;  // iterations since the canvas changed
  bool told_exploding_ = false, told_unmoved_ = false;
  std::string useless_;
};

}  // namespace gramflow
