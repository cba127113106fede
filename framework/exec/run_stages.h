#pragma once
// Runs a pipeline from beginning to end: every stage, every loop, previews, final pictures; tells observers.
//
//   auto stages = compile_stages(source, types, warnings);   // everything that can be known without reading
//   a pixel RunSummary summary = run_stages(std::move(stages), options);
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/exec/checkpoint_keeper.h"
#include "framework/exec/session.h"

namespace gramflow {

struct RunOptions {
  ExecutorKind executor = ExecutorKind::flow;
  /// Set from outside (a signal): the run ends as soon as the operations that are under way have.
  const std::atomic<bool>* stop = nullptr;
  Trace* trace = nullptr;                   ///< gets the time of every operation; borrowed
  std::vector<Observer*> observers;         ///< told of everything, in this order; borrowed
  CheckpointKeeper* checkpoints = nullptr;  ///< borrowed; null: none are written
  /// Goes on where this one was written, which was a run of the same pipeline; borrowed.
  const CheckpointFile* resume = nullptr;
  /// Each stage's session, before it begins and after its last loop: for those who want to look inside.
  std::function<void(Session&)> before_stage, after_stage;
};

/// What a finished run leaves behind.
struct RunSummary {
  double seconds = 0;
  std::uint64_t peak_bytes = 0;      ///< peak resident memory of the process
  std::vector<std::string> outputs;  ///< files written, in order of first writing
  std::vector<Canvas> canvases;      ///< of the last stage, by loop
};

/// `stages` from compile_stages(); they are used up. Throws Interrupted after saving the last complete
/// result, if any iteration was made; RunError and MissingResource. Previews and checkpoints that cannot be written are
/// told to the observers, and the run goes on. Observers hear of the end in every case.
RunSummary run_stages(std::vector<std::unique_ptr<CompiledStage>> stages, const RunOptions& options);

}  // namespace gramflow
