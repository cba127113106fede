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
  virtual void saved(const std::string& /*path*/) {}
  virtual void message(const std::string& /*text*/) {}
  /// Something that did not end the run, but that the user has to know.
  virtual void warning(const std::string& text) { message("warning: " + text); }
  /// Of every run that started: finished, interrupted or failed.
  virtual void end(const RunEnd&) {}
};

}  // namespace gramflow
