#include "framework/exec/progress.h"

#include <algorithm>

namespace gramflow {

Progress::Progress(const std::vector<StageStart>& stages) {
  for (const StageStart& stage : stages)
    stages_.push_back({static_cast<double>(std::max<std::int64_t>(1, stage.width * stage.height)),
                       static_cast<double>(stage.iterations)});
}

void Progress::begin_stage(int stage) {
  const auto next = static_cast<std::size_t>(std::max(stage, 0));
  if (next >= stages_.size()) stages_.resize(next + 1);
  // Until there is a measurement, the last stage's will do.
  seconds_ *= stages_[next].pixels / stages_[stage_].pixels;
  stage_ = next;
  done_ = 0;
  measured_ = 0;
}

void Progress::add(std::int64_t done, double seconds) {
  if (stages_.empty()) stages_.resize(1);
  done_ = static_cast<double>(done);
  ++measured_;
  // The first iteration is slower than the others: pages are touched, threads wake up. It counts only alone.
  const double newest = measured_ <= 2 ? 1.0 : std::max(1.0 / (measured_ - 1), 1.0 / 12);
  seconds_ += newest * (seconds - seconds_);
}

double Progress::share() const {
  double done = 0, all = 0;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const double work = stages_[i].pixels * stages_[i].iterations;
    all += work;
    if (i < stage_) done += work;
    if (i == stage_) done += stages_[i].pixels * std::min(done_, stages_[i].iterations);
  }
  return all == 0 ? 1 : done / all;
}

double Progress::seconds_left() const {
  double left = 0;
  for (std::size_t i = stage_; i < stages_.size(); ++i) {
    const double iterations = stages_[i].iterations - (i == stage_ ? done_ : 0);
    left += std::max(0.0, iterations) * seconds_ * stages_[i].pixels / stages_[stage_].pixels;
  }
  return left;
}

}  // namespace gramflow
