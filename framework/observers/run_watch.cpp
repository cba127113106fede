#include "framework/observers/run_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gramflow {
namespace {

constexpr double exploded = 1e3;     // times the loss at the start
constexpr double far_above = 1.5;    // likewise, at the end
constexpr double half = 0.5;         // of the samples
constexpr double nearly_all = 0.98;  // likewise
constexpr double more_than_start = 0.25;
constexpr int unmoved_iterations = 20;

}  // namespace

/// The loss node that grew most, for a message.
std::string RunWatch::worst(std::span<const ReportedLoss> losses) const {
  std::string name;
  double most = -1;
  for (const ReportedLoss& loss : losses) {
    const auto before = std::find_if(first_.begin(), first_.end(),
                                     [&](const ReportedLoss& other) { return other.node == loss.node; });
    const double growth =
        std::isfinite(loss.value) ? loss.value - (before != first_.end() ? before->value : 0) : HUGE_VAL;
    if (growth > most) {
      most = growth;
      name = loss.node;
    }
  }
  return name;
}

std::vector<std::string> RunWatch::iteration(const IterationReport& report, std::uint64_t canvas) {
  std::vector<std::string> told;
  if (report.iteration == 0) {
    first_.assign(report.losses.begin(), report.losses.end());
    start_ = report.total;
  }
  if (std::isfinite(report.gradient_norm))
    largest_gradient_ = std::max(largest_gradient_, report.gradient_norm);
  still_ = report.iteration > 0 && canvas == canvas_ ? still_ + 1 : 0;
  canvas_ = canvas;
  if (!told_exploding_ && start_ > 0 && report.total > exploded * start_) {
    told_exploding_ = true;
    told.push_back(
        fmt::format("{}: the loss explodes: {:.3g} at iteration {}, {:.3g} at the start; most of it is "
                    "'{}'. A smaller 'learning_rate' keeps it down",
                    where_, report.total, report.iteration, start_, worst(report.losses)));
  }
  if (!told_unmoved_ && still_ >= unmoved_iterations && report.gradient_norm > 0) {
    told_unmoved_ = true;
    const char* cause = report.gradient_norm > 1e19
                            ? "the gradient is so large that its square overflows; a smaller 'weight' helps"
                        : method_ == "adam"
                            ? "'learning_rate' is too small, or 'epsilon' too large beside the gradient"
                            : "no step leads to a lower loss";
    told.push_back(
        fmt::format("{}: the picture has not changed for {} iterations though the gradient is not zero "
                    "({:.3g}; '{}' has the largest part): {}",
                    where_, unmoved_iterations, report.gradient_norm, worst(report.losses), cause));
  }
  return told;
}

std::vector<std::string> RunWatch::end(const LoopResult& result) {
  std::vector<std::string> told;
  if (result.went_back)
    told.push_back(fmt::format(
        "{}: the loss after the last iteration is not finite; the picture is that of the one before",
        where_));
  if (!std::isfinite(result.total)) {
    useless_ = fmt::format("{}: nothing usable came out: the loss of the picture is not finite", where_);
    return told;
  }
  if (largest_gradient_ == 0 && !first_.empty())
    told.push_back(
        fmt::format("{}: all gradients are zero, so nothing changes: either every 'weight' is 0, or the "
                    "picture to start from is what the losses want already (a style that is the content)",
                    where_));
  const bool grew = start_ > 0 && result.total > far_above * start_;
  if (grew)
    told.push_back(
        fmt::format("{}: the loss of the picture, {:.4g}, is far above that of the start, {:.4g}; most of "
                    "it is '{}'. A smaller 'learning_rate' (or 'method: lbfgs', which finds its own steps) "
                    "makes it fall",
                    where_, result.total, start_, worst(result.losses)));
  const bool clipped = result.clipped >= half && result.clipped > result.clipped_at_start + more_than_start;
  if (clipped) {
    told.push_back(
        fmt::format("{}: {:.0f} % of the samples are black or white to the end ({:.0f} % at the start): "
                    "{}",
                    where_, 100 * result.clipped, 100 * result.clipped_at_start,
                    grew ? "'learning_rate' is too large"
                         : "the losses ask for more contrast than a picture has; a smaller style 'weight', "
                           "or a larger one of the content, brings it back"));
    if (result.clipped >= nearly_all && result.total >= start_)
      useless_ = fmt::format(
          "{}: nothing usable came out: {:.1f} % of the samples are black or white, and the loss is "
          "not below that of the start; 'learning_rate' is too large",
          where_, 100 * result.clipped);
  }
  return told;
}

}  // namespace gramflow
