#include "framework/observers/progress.h"

#include <algorithm>

namespace gramflow {

Progress::Progress(const std::vector<StageStart>& stages) {
  for (const StageStart& stage : stages)
    for (const LoopStart& loop : stage.loops)
      works_.push_back({stage.stage, loop.loop,
                        static_cast<double>(std::max<std::int64_t>(1, loop.width * loop.height)),
                        static_cast<double>(loop.iterations)});
}

void Progress::begin(int stage, int loop) {
  const auto found = std::find_if(works_.begin(), works_.end(),
                                  [&](const Work& work) { return work.stage == stage && work.loop == loop; });
  if (found == works_.end()) return;
  const auto next = static_cast<std::size_t>(found - works_.begin());
  // Until there is a measurement, the last loop's will do.
  seconds_ *= works_[next].pixels / works_[now_].pixels;
  now_ = next;
  done_ = 0;
  measured_ = 0;
}

void Progress::add(std::int64_t done, double seconds) {
  if (works_.empty()) works_.resize(1);
  done_ = static_cast<double>(done);
  ++measured_;
  // The first iteration is slower than the others: pages are touched, threads wake up. It counts only alone.
  const double newest = measured_ <= 2 ? 1.0 : std::max(1.0 / (measured_ - 1), 1.0 / 12);
  seconds_ += newest * (seconds - seconds_);
}

double Progress::share() const {
  double done = 0, all = 0;
  for (std::size_t i = 0; i < works_.size(); ++i) {
    const double work = works_[i].pixels * works_[i].iterations;
    all += work;
    if (i < now_) done += work;
    if (i == now_) done += works_[i].pixels * std::min(done_, works_[i].iterations);
  }
  return all == 0 ? 1 : done / all;
}

double Progress::seconds_left() const {
  double left = 0;
  for (std::size_t i = now_; i < works_.size(); ++i) {
    const double iterations = works_[i].iterations - (i == now_ ? done_ : 0);
    left += std::max(0.0, iterations) * seconds_ * works_[i].pixels / works_[now_].pixels;
  }
  return left;
}

}  // namespace gramflow
