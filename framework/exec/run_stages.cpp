// The driver of a run: a loop over stages, and in each over the optimisers, with a Session doing the work.
// Stages hand finished canvases on; only the last one writes the final pictures, unless the run ends before.
// Memory of a stage is given back before the next one is prepared.
#include "framework/exec/run_stages.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <utility>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/base/resident_memory.h"
#include "framework/observers/run_watch.h"

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
      // Whoever asked before is asked first: a sidecar has to be there when the picture is told of.
      stage->run_state->saved = [this, before = stage->run_state->saved](const MadePicture& picture) {
        if (before) before(picture);
        note_saved(picture);
      };
      stage->run_state->unsaved = [this](const MadePicture& picture, const std::string& problem,
                                         const std::string& instead) {
        note_unsaved(picture, problem, instead);
      };
    }
    tell([&](Observer& observer) { observer.start(start); });
    RunEnd end;
    std::exception_ptr failure;
    try {
      threads.execute([&] {
        const std::size_t first = resuming() ? take_up() : 0;
        for (std::size_t i = first; i < stages_.size(); ++i) run_stage(*stages_[i], start.stages[i]);
      });
      if (!unsaved_.empty()) throw RunError(unsaved_);
      if (options_.stop != nullptr && options_.stop->load()) throw Interrupted();  // heard while saving
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

  /// Of what this stage will write: all in the last one, previews and pictures of its own in the others.
  static void preflight(const CompiledStage& stage) {
    for (const Operation& operation : stage.plan.program.operations)
      if (stage.last || operation.at_stage_end) operation.op->preflight();
  }

  void note_saved(const MadePicture& picture) {
    const std::lock_guard lock(mutex_);
    const std::string& path = picture.path;
    if (std::find(summary_.outputs.begin(), summary_.outputs.end(), path) == summary_.outputs.end())
      summary_.outputs.push_back(path);
    tell([&](Observer& observer) { observer.written(path, picture.clipped); });
  }

  bool resuming() const { return options_.resume != nullptr && !resumed_; }

  /// The stage to go on with; what the one before it made is carried.
  std::size_t take_up() {
    const auto stage = static_cast<std::size_t>(options_.resume->head().stage);
    if (stage >= stages_.size())
      throw RunError(options_.resume->path() + ": the checkpoint is of another pipeline: it has more stages");
    if (stage > 0) {
      const CompiledStage& before = *stages_[stage - 1];
      for (std::size_t k = 0; k < before.optimizations.size(); ++k)
        carried_.push_back(kept_canvas(carried_name(before.plan.program.loops[k].node), before, k));
    }
    return stage;
  }

  /// A loop's canvas as the checkpoint has it.
  Canvas kept_canvas(const std::string& name, const CompiledStage& stage, std::size_t loop) const {
    const Program& program = stage.plan.program;
    Canvas canvas;
    canvas.node = program.loops[loop].node;
    canvas.shape = program.desc(program.loops[loop].canvas).shape;
    canvas.space = stage.optimizations[loop].space;
    canvas.values.resize(static_cast<std::size_t>(canvas.shape.elements()));
    const int vector = options_.resume->find(name);
    if (vector < 0)
      throw RunError(options_.resume->path() + ": the checkpoint is of another pipeline: it does not have '" +
                     name + "'");
    options_.resume->read(vector, canvas.values);
    return canvas;
  }

  /// The run fails when all else is done.
  void note_unsaved(const MadePicture& picture, const std::string& problem, const std::string& instead) {
    const std::lock_guard lock(mutex_);
    std::string text = problem;
    if (!instead.empty()) text += "; the picture is in " + instead;
    if (!instead.empty() &&
        std::find(summary_.outputs.begin(), summary_.outputs.end(), instead) == summary_.outputs.end())
      summary_.outputs.push_back(instead);
    unsaved_ += (unsaved_.empty() ? "" : "\n") + text;
    tell([&](Observer& observer) { observer.warning(picture.path + " was not written: " + text); });
  }

  void run_stage(CompiledStage& stage, const StageStart& start) {
    tell([&](Observer& observer) { observer.stage_start(start); });
    stage_ = &stage;
    finished_.clear();
    std::unique_ptr<Session> session = make_session(stage);
    if (options_.before_stage) options_.before_stage(*session);
    try {
      if (resuming() && options_.resume->head().loop.loop < 0) resumed_ = true;
      while (session->begin(carried_)) {
        if (!skip_to_checkpoint(*session, stage)) iterate(*session, start);
        finished_.push_back(session->copy_canvas());
      }
    } catch (const Interrupted&) {
      if (resuming()) throw;  // the checkpoint is still the last word
      keep(std::move(session));
      throw;
    }
    if (options_.after_stage) options_.after_stage(*session);
    session->finish(stage.last);
    carried_ = std::move(finished_);
    if (stage.last) summary_.canvases = std::move(carried_);
    if (stage.last && !useless_.empty()) throw RunError(useless_);
  }

  /// One that is stopped while it reads its weights still shows what the stage before made.
  std::unique_ptr<Session> make_session(CompiledStage& stage) {
    try {
      return std::make_unique<Session>(stage,
                                       SessionOptions{options_.executor, options_.stop, options_.trace, {}});
    } catch (const Interrupted&) {
      if (resuming() || carried_.empty()) throw;
      keep(std::make_unique<Session>(stage, SessionOptions{options_.executor, nullptr, options_.trace, {}}));
      throw;
    }
  }

  /// Brings a loop to where the checkpoint has it: true when it was over by then.
  bool skip_to_checkpoint(Session& session, const CompiledStage& stage) {
    if (!resuming()) return false;
    const LoopState& there = options_.resume->head().loop;
    if (session.loop() < there.loop) {
      const auto loop = static_cast<std::size_t>(session.loop());
      const std::vector<std::int64_t>& iterations = options_.resume->head().finished;
      const std::vector<std::string>& words = options_.resume->head().finished_words;
      session.adopt(kept_canvas(finished_name(stage.plan.program.loops[loop].node), stage, loop).values,
                    loop < iterations.size() ? iterations[loop] : 0, loop < words.size() ? words[loop] : "");
      return true;
    }
    restore_loop(*options_.resume, session);
    resumed_ = true;
    return false;
  }

  /// After a request to stop.
  void keep(std::unique_ptr<Session> session) {
    if (options_.checkpoints != nullptr && options_.checkpoints->wanted_at_stop()) write_checkpoint(*session);
    save_what_there_is(std::move(session));
  }

  void write_checkpoint(const Session& session) {
    // A loop that is over is among the finished ones, but it is also the one that the session stands in.
    const std::span<const Canvas> before(
        finished_.data(), std::min(finished_.size(), static_cast<std::size_t>(std::max(session.loop(), 0))));
    const bool first = !options_.checkpoints->written();
    const std::string problem = options_.checkpoints->write(stage_->number, session, carried_, before);
    if (!problem.empty()) {
      if (std::exchange(checkpoint_problem_, problem) != problem)
        warn("no checkpoint was written: " + problem);
    } else if (first) {
      tell([&](Observer& observer) {
        observer.message("from now on this run can be gone on with by --resume; checkpoints are in " +
                         options_.checkpoints->path());
      });
    }
  }

  void warn(const std::string& text) {
    tell([&](Observer& observer) { observer.warning(text); });
  }

  /// Of this stage, or else what the stage before made, by way of this one's last nodes. A picture that no
  /// iteration has been made of is not written.
  void save_what_there_is(std::unique_ptr<Session> session) {
    const bool moved = session->loop() >= 0 && session->iteration() > 0;
    const bool several = stage_->plan.program.loops.size() > 1;
    if (several && (!carried_.empty() || !stage_->last)) return show(std::move(session), moved);
    if (!moved && carried_.empty()) return;  // what earlier loops made was written when they ended
    session->ignore_stop();
    stage_->run_state->interrupted = true;
    if (session->loop() < 0) session->begin(carried_);
    session->finish();
  }

  /// The same with several optimisers, by a session of its own: what each made in this stage, or else in the one
  /// before.
  void show(std::unique_ptr<Session> session, bool moved) {
    std::vector<Canvas> shown = std::move(finished_);
    const auto has = [&](const std::string& node) {
      return std::any_of(shown.begin(), shown.end(),
                         [&](const Canvas& canvas) { return canvas.node == node; });
    };
    const std::vector<Loop>& loops = stage_->plan.program.loops;
    if (moved && !has(loops[static_cast<std::size_t>(session->loop())].node))
      shown.push_back(session->copy_canvas());
    for (Canvas& canvas : carried_)
      if (!has(canvas.node)) shown.push_back(std::move(canvas));
    session.reset();
    if (shown.empty()) return;
    stage_->run_state->interrupted = true;
    Session other(*stage_, {options_.executor, nullptr, options_.trace, {}});
    other.show_carried();
    for (std::size_t k = 0; k < loops.size() && has(loops[k].node); ++k) other.begin(shown);
    if (other.loop() >= 0) other.finish();
  }

  void iterate(Session& session, const StageStart& start) {
    const LoopStart& loop = start.loops[static_cast<std::size_t>(session.loop())];
    tell([&](Observer& observer) { observer.loop_start(loop); });
    RunWatch watch(where(session, start) + "'" + loop.optimizer + "'", loop.method);
    while (session.running()) {
      const IterationReport& report = session.step();
      const std::vector<std::string> told = watch.iteration(report, session.canvas_number());
      tell([&](Observer& observer) { observer.iteration(report); });
      warn_all(told);
      session.preview([this](const std::string& problem) {
        if (std::exchange(preview_problem_, problem) != problem)
          warn("a preview was not written: " + problem);
      });
      if (options_.checkpoints != nullptr && options_.checkpoints->due_after_iteration())
        write_checkpoint(session);
    }
    if (!session.stop_reason().empty()) tell_why(session, start);
    const LoopResult& result = session.conclude();
    tell([&](Observer& observer) { observer.result(result); });
    warn_all(watch.end(result));
    useless_ = watch.useless();
  }

  void warn_all(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) warn(text);
  }

  /// The optimiser's place, to be put in front of a message; "" when it has none.
  std::string where(Session& session, const StageStart& start) const {
    const std::string place = stages_[static_cast<std::size_t>(start.stage)]
                                  ->optimizations[static_cast<std::size_t>(session.loop())]
                                  .span.to_string();
    return place.empty() ? "" : place + ": ";
  }

  void tell_why(Session& session, const StageStart& start) {
    const LoopStart& loop = start.loops[static_cast<std::size_t>(session.loop())];
    const std::string message = "'" + loop.optimizer + "' stopped at iteration " +
                                std::to_string(session.iteration() - 1) + ": " + session.stop_reason();
    if (!session.failed()) {
      tell([&](Observer& observer) { observer.message(message); });
      return;
    }
    // The method has put the last finite canvas back; what was reached so far is not lost.
    if (session.iteration() > 1) session.finish();
    throw RunError(where(session, start) + message);
  }

  std::vector<std::unique_ptr<CompiledStage>> stages_;
  const RunOptions& options_;
  RunSummary summary_;
  CompiledStage* stage_ = nullptr;                    // that runs
  std::vector<Canvas> carried_;                       // from the stage before
  std::vector<Canvas> finished_;                      // of this stage
  bool resumed_ = false;                              // the checkpoint was taken up
  std::string checkpoint_problem_, preview_problem_;  // told last
  std::string unsaved_;  // why pictures are not where they should be, a line each
  std::string useless_;  // what the last optimiser made is, and why; "" when it is not
  std::mutex mutex_;
};

}  // namespace

RunSummary run_stages(std::vector<std::unique_ptr<CompiledStage>> stages, const RunOptions& options) {
  return Run(std::move(stages), options).run();
}

}  // namespace gramflow
