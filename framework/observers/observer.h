#pragma once
// Who wants to know how a run goes: the console, the log file, a test, an embedding program. Called from the
// thread that drives the run, except saved(), which may come from any thread, one call at a time.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gramflow {

/// One loss node's weighted value, and that of each of its layers.
struct ReportedLoss {
  std::string node;
  double value = 0;
  std::vector<std::pair<std::string, double>> layers;
};

/// One optimiser of a stage.
struct LoopStart {
  int stage = 0;
  int loop = 0;  ///< from 0, in the order they run
  std::string optimizer;
  std::int64_t width = 0;  ///< of the canvas
  std::int64_t height = 0;
  std::int64_t iterations = 0;
  std::string method;
};

struct StageStart {
  int stage = 0;
  std::uint64_t planned_bytes = 0;
  std::vector<LoopStart> loops;  ///< empty in a pipeline without an optimiser
};

struct RunStart {
  std::string pipeline;
  int threads = 1;
  std::vector<StageStart> stages;
};

struct IterationReport {
  int stage = 0;
  int loop = 0;
  std::string_view optimizer;
  std::int64_t iteration = 0;   ///< from 0
  std::int64_t iterations = 0;  ///< of this loop
  double total = 0;             ///< losses as evaluated before this iteration's step
  std::span<const ReportedLoss> losses;
  double gradient_norm = 0;
  double seconds = 0;
  int evaluations = 0;
  std::string_view note;  ///< "line search failed, ..." or empty
};

/// What an optimiser ended with: the picture that is saved, brought into the range of pictures and averaged
/// where that was asked for.
struct LoopResult {
  int stage = 0;
  int loop = 0;
  std::string_view optimizer;
  std::int64_t iterations = 0;  ///< made
  double start = 0;             ///< loss before the first; of the picture when there was none
  double total = 0;             ///< loss of the picture
  std::span<const ReportedLoss> losses;
  double clipped = 0;  ///< share of its samples, 0 to 1, that are at or beyond black or white
  double clipped_at_start = 0;
  bool went_back = false;  ///< the last iteration's picture had no finite loss; this is the one before
};

/// "loss of 'result': 1.145 (content_loss 0.6, style_loss 0.545)"
std::string in_words(const LoopResult& result);

struct RunEnd {
  double seconds = 0;
  std::uint64_t peak_rss_bytes = 0;
  std::vector<std::string> outputs;
  bool interrupted = false;
  std::string error;  ///< why the run failed; "" when it did not
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void start(const RunStart&) {}
  virtual void stage_start(const StageStart&) {}
  virtual void loop_start(const LoopStart&) {}
  virtual void iteration(const IterationReport&) {}
  /// Of each loop that came to its end or stopped by itself; not of one that was interrupted or failed.
  virtual void result(const LoopResult&) {}
  virtual void saved(const std::string& /*path*/) {}
  /// The same, with the share of the samples that are at or beyond black or white.
  virtual void written(const std::string& path, double /*clipped*/) { saved(path); }
  virtual void message(const std::string& /*text*/) {}
  /// Something that did not end the run, but that the user has to know: a file that could not be written, a result
  /// that is probably not what was wanted.
  virtual void warning(const std::string& text) { message("warning: " + text); }
  /// Of every run that started: finished, interrupted or failed.
  virtual void end(const RunEnd&) {}
};

}  // namespace gramflow
