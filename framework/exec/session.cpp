// The driver of a run. For each stage: prepare, prologue, then iterations until the method stops, with
// previews in between. Stages hand the finished canvas on; only the last one writes the final pictures.
// Memory of a stage is given back before the next one is prepared.
#include "framework/exec/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <mutex>
#include <stdexcept>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/exec/resident_memory.h"
#include "framework/ops/cpu/vectors.h"

namespace gramflow {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What of the last stage the next one starts from.
struct Carried {
  std::vector<float> canvas;
  Shape shape{0, 0, 0};
};

class StageRun {
 public:
  StageRun(CompiledStage& stage, int number, int stage_count, const SessionOptions& options)
      : stage_(stage),
        number_(number),
        last_(number + 1 == stage_count),
        options_(options),
        prepared_(stage.plan),
        executor_(make_executor(options.executor, prepared_)) {
    const Plan& plan = stage.plan;
    prologue_ = executor_->add(range(plan.prologue));
    loop_ = executor_->add(range(plan.loop));
    epilogue_ = executor_->add(ancestors_in_epilogue([](const Operation&) { return true; }));
    std::map<std::int64_t, bool> periods;
    for (std::size_t i = plan.epilogue.begin; i < plan.epilogue.end; ++i)
      if (plan.program.operations[i].every > 0) periods[plan.program.operations[i].every] = true;
    for (const auto& [every, unused] : periods)
      monitors_.push_back({every, executor_->add(ancestors_in_epilogue(
                                      [every = every](const Operation& o) { return o.every == every; }))});
    group_losses();
    prepared_.trace = options.trace;
  }

  /// Returns the finished canvas. `interrupted` tells that the run was asked to stop.
  Carried run(Carried carried, bool& interrupted) {
    if (options_.before_stage) options_.before_stage(prepared_);
    executor_->run(prologue_);
    const Program& program = stage_.plan.program;
    if (program.canvas != no_tensor) {
      begin_canvas(carried);
      carried = {};
      iterate(interrupted);
    }
    // A method that met a NaN has put the last finite canvas back; what was reached so far is not lost.
    const bool worth_saving = failure_.empty() || stage_.run_state->iteration > 1;
    if ((last_ || interrupted || !failure_.empty()) && worth_saving) executor_->run(epilogue_);
    if (!failure_.empty()) throw RunError(failure_);
    if (options_.after_stage) options_.after_stage(prepared_);
    if (program.canvas == no_tensor) return {};
    const TensorView canvas = prepared_.view(program.canvas);
    return {std::vector<float>(canvas.floats().begin(), canvas.floats().end()), canvas.shape()};
  }

 private:
  struct Monitor {
    std::int64_t every;
    int set;
  };
  struct LossScalar {
    std::size_t term;
    int layer;  // -1: the node has no layers
    const double* value;
  };

  static std::vector<int> range(const Plan::Range& range) {
    std::vector<int> operations;
    for (std::size_t i = range.begin; i < range.end; ++i) operations.push_back(static_cast<int>(i));
    return operations;
  }

  /// The chosen operations with an effect and everything in the epilogue that they need.
  template <class Chosen>
  std::vector<int> ancestors_in_epilogue(Chosen chosen) const {
    const Plan& plan = stage_.plan;
    std::vector<bool> wanted(plan.program.tensors.size(), false);
    std::vector<int> operations;
    for (std::size_t i = plan.epilogue.end; i-- > plan.epilogue.begin;) {
      const Operation& operation = plan.program.operations[i];
      bool needed = operation.op->has_effect() && chosen(operation);
      for (const TensorId id : operation.outputs)
        needed = needed || (id != no_tensor && wanted[static_cast<std::size_t>(id)]);
      if (!needed) continue;
      operations.push_back(static_cast<int>(i));
      for (const TensorId id : operation.inputs)
        if (id != no_tensor) wanted[static_cast<std::size_t>(id)] = true;
    }
    std::reverse(operations.begin(), operations.end());
    return operations;
  }

  void group_losses() {
    for (const LossTerm& loss : stage_.plan.program.losses) {
      auto term =
          std::find_if(terms_.begin(), terms_.end(), [&](const auto& t) { return t.node == loss.node; });
      if (term == terms_.end()) term = terms_.insert(terms_.end(), {loss.node, 0, {}});
      if (!loss.layer.empty()) term->layers.emplace_back(loss.layer, 0.0);
      scalars_.push_back({static_cast<std::size_t>(term - terms_.begin()),
                          loss.layer.empty() ? -1 : static_cast<int>(term->layers.size()) - 1,
                          prepared_.view(loss.tensor).f64()});
    }
  }

  void begin_canvas(const Carried& carried) {
    const Program& program = stage_.plan.program;
    const TensorView canvas = prepared_.view(program.canvas);
    if (carried.canvas.empty())
      cpu::copy(prepared_.view(program.start).floats(), canvas.floats());
    else
      stage_.optimization.carry(carried.canvas, carried.shape, canvas);
  }

  /// What an evaluation found. A step names the evaluation that it reports; that is one of its own or the one
  /// the method stood on before, so only these are kept.
  struct Evaluation {
    std::int64_t index = -1;
    double gradient_norm = 0;
    std::vector<double> scalars;
  };

  Evaluated evaluate(std::span<const float> gradient, void* scratch) {
    if (options_.poison) prepared_.poison();
    executor_->run(loop_);
    if (kept_ == evaluations_.size()) evaluations_.push_back({-1, 0, std::vector<double>(scalars_.size())});
    Evaluation& now = evaluations_[kept_++];
    now.index = evaluation_count_++;
    double total = 0;
    for (std::size_t i = 0; i < scalars_.size(); ++i) {
      now.scalars[i] = *scalars_[i].value;
      total += now.scalars[i];
    }
    now.gradient_norm = std::sqrt(cpu::dot(gradient, gradient, scratch));
    return {total, now.index};
  }

  /// Before a step: of what was found so far only the point it starts from can matter. -1: nothing can.
  void keep_only(std::int64_t index) {
    const auto end = evaluations_.begin() + static_cast<std::ptrdiff_t>(kept_);
    const auto known = std::find_if(evaluations_.begin(), end,
                                    [index](const Evaluation& past) { return past.index == index; });
    kept_ = index >= 0 && known != end ? 1 : 0;
    if (kept_ == 1) std::swap(*known, evaluations_.front());
  }

  /// Fills terms_; returns the gradient's norm.
  double recall(std::int64_t index) {
    const auto end = evaluations_.begin() + static_cast<std::ptrdiff_t>(kept_);
    const auto past = std::find_if(evaluations_.begin(), end,
                                   [index](const Evaluation& kept) { return kept.index == index; });
    if (past == end) throw std::logic_error("a step named an evaluation that nobody made");
    for (auto& term : terms_) term.value = 0;
    for (std::size_t i = 0; i < scalars_.size(); ++i) {
      ReportedLoss& term = terms_[scalars_[i].term];
      term.value += past->scalars[i];
      if (scalars_[i].layer >= 0)
        term.layers[static_cast<std::size_t>(scalars_[i].layer)].second = past->scalars[i];
    }
    return past->gradient_norm;
  }

  void iterate(bool& interrupted) {
    const Program& program = stage_.plan.program;
    const TensorView canvas = prepared_.view(program.canvas);
    const TensorView gradient = prepared_.view(program.gradient);
    const std::int64_t elements = canvas.shape().elements();
    const std::unique_ptr<OptimizationMethod> method = stage_.optimization.make_method();
    std::vector<float> state(method->state_floats(elements));
    method->bind(elements, state);
    std::vector<std::byte> scratch(cpu::reduction_scratch(elements));
    auto evaluation = [&] { return evaluate(gradient.floats(), scratch.data()); };
    const std::int64_t iterations = stage_.optimization.iterations;
    for (std::int64_t iteration = 0; iteration < iterations; ++iteration) {
      if (options_.stop != nullptr && options_.stop->load()) {
        interrupted = true;
        return;
      }
      const auto start = std::chrono::steady_clock::now();
      keep_only(method->known_evaluation());
      const StepResult step = method->step(iteration, canvas.floats(), gradient.floats(), evaluation);
      stage_.run_state->iteration = iteration + 1;
      IterationReport report;
      report.stage = number_;
      report.iteration = iteration;
      report.iterations = iterations;
      report.total = step.loss;
      report.gradient_norm = recall(step.evaluation);
      report.losses = terms_;
      report.seconds = seconds_since(start);
      report.evaluations = step.evaluations;
      if (step.restarted && !step.stopped)
        report.note = step.reason;  // why it stopped is told once, at the end
      for (Observer* observer : options_.observers) observer->iteration(report);
      if (step.stopped) return conclude(step, iteration);
      for (const Monitor& monitor : monitors_)
        if ((iteration + 1) % monitor.every == 0 && iteration + 1 < iterations) executor_->run(monitor.set);
    }
  }

  void conclude(const StepResult& step, std::int64_t iteration) {
    const std::string message = "'" + stage_.optimization.node + "' stopped at iteration " +
                                std::to_string(iteration) + ": " + step.reason;
    if (step.failed) {
      const std::string place = stage_.optimization.span.to_string();
      failure_ = (place.empty() ? "" : place + ": ") + message;
    } else {
      for (Observer* observer : options_.observers) observer->message(message);
    }
  }

  CompiledStage& stage_;
  int number_;
  bool last_;
  const SessionOptions& options_;
  PreparedPlan prepared_;
  std::unique_ptr<Executor> executor_;
  int prologue_ = 0;
  int loop_ = 0;
  int epilogue_ = 0;
  std::vector<Monitor> monitors_;
  std::vector<ReportedLoss> terms_;
  std::vector<LossScalar> scalars_;
  std::vector<Evaluation> evaluations_;  // the first kept_ are of this step or its start
  std::size_t kept_ = 0;
  std::int64_t evaluation_count_ = 0;
  std::string failure_;
};

StageStart describe(const CompiledStage& stage, int number) {
  StageStart start;
  start.stage = number;
  start.planned_bytes = stage.planned_bytes();
  const Program& program = stage.plan.program;
  if (program.canvas != no_tensor) {
    start.width = program.desc(program.canvas).shape.width;
    start.height = program.desc(program.canvas).shape.height;
    start.iterations = stage.optimization.iterations;
    start.method = stage.optimization.method;
  }
  return start;
}

}  // namespace

RunSummary run_stages(std::vector<std::unique_ptr<CompiledStage>> stages, const SessionOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  RunSummary summary;
  std::mutex mutex;
  RunStart start;
  ThreadScope threads(stages.empty() ? 0 : stages.front()->threads);
  start.threads = threads.threads();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    start.stages.push_back(describe(*stages[i], static_cast<int>(i)));
    start.pipeline = stages[i]->document.file_name;
    for (const Operation& operation : stages[i]->plan.program.operations) operation.op->preflight();
    stages[i]->run_state->stage = static_cast<int>(i);
    stages[i]->run_state->saved = [&](const std::string& path) {
      const std::lock_guard lock(mutex);
      if (std::find(summary.outputs.begin(), summary.outputs.end(), path) == summary.outputs.end())
        summary.outputs.push_back(path);
      for (Observer* observer : options.observers) observer->saved(path);
    };
  }
  for (Observer* observer : options.observers) observer->start(start);
  bool interrupted = false;
  Carried carried;
  threads.execute([&] {
    for (std::size_t i = 0; i < stages.size() && !interrupted; ++i) {
      for (Observer* observer : options.observers) observer->stage_start(start.stages[i]);
      StageRun run(*stages[i], static_cast<int>(i), static_cast<int>(stages.size()), options);
      carried = run.run(std::move(carried), interrupted);
    }
  });
  summary.result = std::move(carried.canvas);
  summary.result_shape = carried.shape;
  summary.seconds = seconds_since(begin);
  summary.peak_bytes = peak_resident_bytes();
  RunEnd end;
  end.seconds = summary.seconds;
  end.peak_rss_bytes = summary.peak_bytes;
  end.outputs = summary.outputs;
  end.interrupted = interrupted;
  for (Observer* observer : options.observers) observer->end(end);
  if (interrupted) throw Interrupted();
  return summary;
}

}  // namespace gramflow
