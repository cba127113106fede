#pragma once
// Runs a pipeline from beginning to end: stage by stage, prologue, iterations, previews, epilogue. An
// ordinary driver around an Executor; it decides, the executor computes.
//
//   auto stages = compile_stages(source, types, warnings);   // everything that can be known without reading
//   a pixel RunSummary summary = run_stages(std::move(stages), options);
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/diagnostics.h"
#include "framework/compile/plan.h"
#include "framework/config/document.h"
#include "framework/exec/executor.h"
#include "framework/exec/observer.h"
#include "framework/exec/trace.h"
#include "framework/graph/lower.h"

namespace gramflow {

/// One stage of the schedule, ready to run: pure data, nothing read yet.
struct CompiledStage {
  Document document;
  Graph graph;
  Plan plan;
  Optimization optimization;
  std::shared_ptr<RunState> run_state;
  std::size_t state_bytes = 0;    ///< of the optimisation method
  int threads = 1;                ///< that the plan's scratch memory is for
  std::size_t program_bytes = 0;  ///< resident before the run: the program and its libraries
  /// What the process will have resident at most.
  std::size_t planned_bytes() const {
    return program_bytes + plan.arena_bytes + plan.filter_bytes + plan.transient_bytes + state_bytes;
  }
};

/// Expands, links, lowers and plans one stage for a number of threads (0: all cores); nullptr when something
/// was reported. Sizes of pictures come from their headers; no weights and no pixels are read. Files that are
/// missing or unreadable are reported like mistakes.
std::unique_ptr<CompiledStage> compile_stage(const PipelineSource& source, const NodeTypes& types, int stage,
                                             Diagnostics& diagnostics, int threads = 0);
/// All stages. Throws InvalidPipeline with everything that was found in any of them. Warnings go to
/// `warnings`.
std::vector<std::unique_ptr<CompiledStage>> compile_stages(const PipelineSource& source,
                                                           const NodeTypes& types, Diagnostics& warnings,
                                                           int threads = 0);

struct SessionOptions {
  ExecutorKind executor = ExecutorKind::flow;
  const std::atomic<bool>* stop =
      nullptr;             ///< set from outside (a signal): the run ends after the current iteration
  bool poison = false;     ///< for tests: NaN in all free memory before each iteration
  Trace* trace = nullptr;  ///< gets the time of every operation; borrowed
  std::vector<Observer*> observers;  ///< told of everything, in this order; borrowed
  /// For tests and benchmarks: called with each stage's prepared plan before it runs, and after its last
  /// iteration.
  std::function<void(PreparedPlan&)> before_stage, after_stage;
};

/// What a finished run leaves behind.
struct RunSummary {
  double seconds = 0;
  std::uint64_t peak_bytes = 0;      ///< peak resident memory of the process
  std::vector<std::string> outputs;  ///< files written, in order of first writing
  std::vector<float>
      result;  ///< the last canvas, H x W x 3, in network input numbers; empty without an optimiser
  Shape result_shape{0, 0, 0};
};

/// `stages` from compile_stages(); they are used up. Throws Interrupted after saving the last complete
/// result.
RunSummary run_stages(std::vector<std::unique_ptr<CompiledStage>> stages, const SessionOptions& options);

}  // namespace gramflow
