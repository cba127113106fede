// The driver of a run: a loop over stages, and in each over the optimisers, with a Session doing the work.
// Stages hand finished canvases on; only the last one writes the final pictures, unless the run ends before.
// Memory of a stage is given back before the next one is prepared.
#include "framework/exec/run_stages.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/base/resident_memory.h"

namespace gramflow {
namespace {

StageStart describe(const CompiledStage& stage) {
  StageStart start;
  start.stage = stage.number;
  start.planned_bytes = stage.planned_bytes();
  const Program& program = stage.plan.program;
  for (std::size_t k = 0; k < program.loops.size(); ++k) {
    const Shape& shape = program.desc(program.loops[k].canvas).shape;
    start.loops.push_back({stage.number, static_cast<int>(k), program.loops[k].node, shape.width,
                           shape.height, stage.optimizations[k].iterations, stage.optimizations[k].method});
  }
  return start;
}

class Run {
 public:
  Run(std::vector<std::unique_ptr<CompiledStage>> stages, const RunOptions& options)
      : stages_(std::move(stages)), options_(options) {}

  RunSummary run() {
    const auto begin = std::chrono::steady_clock::now();
    ThreadScope threads(stages_.empty() ? 0 : stages_.front()->plan.workers);
    RunStart start;
    start.threads = threads.threads();
    for (const auto& stage : stages_) {
      start.stages.push_back(describe(*stage));
      start.pipeline = stage->document.file_name;
      preflight(*stage);
      stage->run_state->saved = [this](const std::string& path) { note_saved(path); };
    }
    tell([&](Observer& observer) { observer.start(start); });
    RunEnd end;
    std::exception_ptr failure;
    try {
      threads.execute([&] {
        for (std::size_t i = 0; i < stages_.size(); ++i) run_stage(*stages_[i], start.stages[i]);
      });
    } catch (const Interrupted&) {
      end.interrupted = true;
      failure = std::current_exception();
    } catch (const std::exception& problem) {
      end.error = problem.what();
      failure = std::current_exception();
    }
    end.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    end.peak_rss_bytes = peak_resident_bytes();
    end.outputs = summary_.outputs;
    tell_end(end, failure);
    if (failure) std::rethrow_exception(failure);
    summary_.seconds = end.seconds;
    summary_.peak_bytes = end.peak_rss_bytes;
    return std::move(summary_);
  }

 private:
  template <class Tell>
  void tell(Tell what) {
    for (Observer* observer : options_.observers) what(*observer);
  }

  /// What an observer throws at the end does not hide why the run failed, nor keep the others from hearing of
  /// it.
  void tell_end(const RunEnd& end, std::exception_ptr& failure) {
    for (Observer* observer : options_.observers) {
      try {
        observer->end(end);
      } catch (...) {
        if (!failure) failure = std::current_exception();
      }
    }
  }

  /// Of what this stage will write: all in the last one, previews in the others.
  static void preflight(const CompiledStage& stage) {
    for (const Operation& operation : stage.plan.program.operations)
      if (stage.last || operation.every > 0) operation.op->preflight();
  }

  void note_saved(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (std::find(summary_.outputs.begin(), summary_.outputs.end(), path) == summary_.outputs.end())
      summary_.outputs.push_back(path);
    tell([&](Observer& observer) { observer.saved(path); });
  }

  void run_stage(CompiledStage& stage, const StageStart& start) {
    tell([&](Observer& observer) { observer.stage_start(start); });
    Session session(stage, {options_.executor, options_.stop, options_.trace, {}});
    if (options_.before_stage) options_.before_stage(session);
    std::vector<Canvas> finished;
    try {
      while (session.begin(carried_)) {
        iterate(session, start);
        finished.push_back(session.copy_canvas());
      }
    } catch (const Interrupted&) {
      save_what_there_is(session);
      throw;
    }
    if (options_.after_stage) options_.after_stage(session);
    session.finish(stage.last);
    carried_ = std::move(finished);
    if (stage.last) summary_.canvases = std::move(carried_);
  }

  /// Of this stage, or else what the stage before made, by way of this one's last nodes.
  void save_what_there_is(Session& session) {
    if (session.iteration() == 0 && carried_.empty()) return;
    session.ignore_stop();
    if (session.loop() < 0) session.begin(carried_);
    session.finish();
  }

  void iterate(Session& session, const StageStart& start) {
    tell([&](Observer& observer) {
      observer.loop_start(start.loops[static_cast<std::size_t>(session.loop())]);
    });
    while (session.running()) {
      const IterationReport& report = session.step();
      tell([&](Observer& observer) { observer.iteration(report); });
      session.preview();
    }
    if (!session.stop_reason().empty()) conclude(session, start);
  }

  void conclude(Session& session, const StageStart& start) {
    const LoopStart& loop = start.loops[static_cast<std::size_t>(session.loop())];
    const std::string message = "'" + loop.optimizer + "' stopped at iteration " +
                                std::to_string(session.iteration() - 1) + ": " + session.stop_reason();
    if (!session.failed()) {
      tell([&](Observer& observer) { observer.message(message); });
      return;
    }
    // The method has put the last finite canvas back; what was reached so far is not lost.
    if (session.iteration() > 1) session.finish();
    const Span& span = stages_[static_cast<std::size_t>(start.stage)]
                           ->optimizations[static_cast<std::size_t>(session.loop())]
                           .span;
    const std::string place = span.to_string();
    throw RunError((place.empty() ? "" : place + ": ") + message);
  }

  std::vector<std::unique_ptr<CompiledStage>> stages_;
  const RunOptions& options_;
  RunSummary summary_;
  std::vector<Canvas> carried_;  // from the stage before
  std::mutex mutex_;
};

}  // namespace

RunSummary run_stages(std::vector<std::unique_ptr<CompiledStage>> stages, const RunOptions& options) {
  return Run(std::move(stages), options).run();
}

}  // namespace gramflow
