#include "pipelines/run/resume.h"

#include <fmt/format.h>

#include "framework/base/error.h"
#include "pipelines/run/pipeline_changes.h"

namespace gramflow {
namespace {

using Tell = std::function<void(const std::string&)>;

std::string position_text(const CheckpointHead& head,
                          const std::vector<std::unique_ptr<CompiledStage>>& stages) {
  std::string text = stages.size() > 1 ? fmt::format("stage {}, ", head.stage + 1) : "";
  const auto stage = static_cast<std::size_t>(head.stage), loop = static_cast<std::size_t>(head.loop.loop);
  if (head.loop.loop < 0) return text + "at its beginning";
  const bool known = stage < stages.size() && loop < stages[stage]->plan.program.loops.size();
  if (known && stages[stage]->plan.program.loops.size() > 1)
    text += fmt::format("'{}', ", stages[stage]->plan.program.loops[loop].node);
  return text + fmt::format("after {} iterations", head.loop.iteration);
}

ReachedPosition position_of(const CheckpointHead& head,
                            const std::vector<std::unique_ptr<CompiledStage>>& stages) {
  ReachedPosition position{head.stage, head.loop.loop, head.loop.iteration, head.loop.stopped, {}};
  position.loop_of = [&, stage = static_cast<std::size_t>(head.stage)](const std::string& node) {
    if (stage >= stages.size()) return -1;
    const std::vector<Loop>& loops = stages[stage]->plan.program.loops;
    for (std::size_t k = 0; k < loops.size(); ++k)
      if (loops[k].node == node) return static_cast<int>(k);
    return -1;
  };
  return position;
}

void judge_changes(const CheckpointFile& file, const CheckpointHead& identity,
                   const std::vector<std::unique_ptr<CompiledStage>>& stages, bool accept, const Tell& tell) {
  const CheckpointHead& head = file.head();
  std::vector<PipelineChange> changes =
      pipeline_changes(head.pipeline, identity.pipeline, position_of(head, stages));
  for (const PipelineChange& change : source_changes(head.sources, identity.sources))
    changes.push_back(change);
  bool harmless = true;
  std::string list;
  for (const PipelineChange& change : changes) {
    harmless = harmless && change.harmless;
    list += fmt::format("\n  {}{}", change.text, change.harmless ? " (harmless)" : "");
  }
  if (!harmless && !accept) {
    Diagnostics found;
    Diagnostic& diagnostic = found.error(
        "changed-pipeline", {},
        fmt::format("{}: the pipeline has changed since this checkpoint was written", file.path()));
    for (const PipelineChange& change : changes)
      diagnostic.note(change.text + (change.harmless ? " (harmless)" : ""));
    diagnostic.suggest(
        "undo the change; or start anew, without --resume; or --accept-changes goes on from the canvas as it "
        "is");
    throw InvalidPipeline(std::move(found));
  }
  if (!changes.empty()) tell("changed since the checkpoint was written:" + list);
  if (head.program != identity.program)
    tell(fmt::format(
        "warning: the checkpoint was written by {}, this is {}: the picture may differ in its last bits",
        head.program, identity.program));
  if (head.instructions != identity.instructions)
    tell(fmt::format(
        "warning: the checkpoint was written with {}, this machine computes with {}: the picture will "
        "differ in its last bits from one that was not interrupted",
        head.instructions, identity.instructions));
}

}  // namespace

std::unique_ptr<CheckpointFile> find_resume(const ResumeRequest& request, const std::string& own_place,
                                            const CheckpointHead& identity,
                                            const std::vector<std::unique_ptr<CompiledStage>>& stages,
                                            const Tell& tell) {
  const std::string place = request.file.empty() ? own_place : request.file;
  if (place.empty()) {
    if (request.wanted)
      tell("there is no checkpoint, as this pipeline has none to keep; starting from the beginning");
    return nullptr;
  }
  FoundCheckpoint found = CheckpointStore(place).find();
  if (!request.wanted) {
    if (found.file != nullptr)
      tell(fmt::format("an earlier run left {} ({}); --resume would go on from there", found.file->path(),
                       position_text(found.file->head(), stages)));
    return nullptr;
  }
  for (const std::string& problem : found.damaged) tell("warning: " + problem);
  if (found.file == nullptr) {
    tell(fmt::format("there is no {}checkpoint {}; starting from the beginning",
                     found.damaged.empty() ? "" : "whole ", place));
    return nullptr;
  }
  judge_changes(*found.file, identity, stages, request.accept_changes, tell);
  tell(fmt::format("going on from {}: {}", found.file->path(), position_text(found.file->head(), stages)));
  return std::move(found.file);
}

}  // namespace gramflow
