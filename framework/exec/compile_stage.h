#pragma once
// From a pipeline's text to stages that are ready to run, without reading a pixel or a weight.
#include <memory>
#include <vector>

#include "framework/base/diagnostics.h"
#include "framework/compile/plan.h"
#include "framework/config/document.h"
#include "framework/graph/lower.h"

namespace gramflow {

/// One stage of the schedule, ready to run: pure data, nothing read yet.
struct CompiledStage {
  Document document;
  Graph graph;
  Plan plan;
  std::vector<Optimization> optimizations;  ///< by loop
  std::shared_ptr<RunState> run_state;
  std::vector<UsedFile> files;    ///< that its nodes read and write
  int number = 0;                 ///< from 0
  bool last = true;               ///< of the schedule: the one that writes the final pictures
  std::size_t carried_bytes = 0;  ///< copies of canvases that one stage hands to the next
  std::size_t program_bytes = 0;  ///< resident before the run: the program and its libraries
  /// What the process will have resident at most.
  std::size_t planned_bytes() const {
    const std::size_t device = plan.devices.apart() ? 0 : plan.arena_bytes + plan.filter_bytes;
    return program_bytes + device + plan.host_arena_bytes + plan.host_filter_bytes + plan.external_bytes +
           plan.transient_bytes + carried_bytes;
  }
  /// What a device with memory of its own will have allocated at most; 0 for the CPU.
  std::size_t device_bytes() const;
};

/// Expands, links, lowers and plans one stage for a number of threads (0: all cores) and for devices (none: the
/// CPU); nullptr when something
/// was reported, unless it is only that weights are missing, which the plan can do without. Sizes of pictures come from their headers; no weights and no pixels are read. Files that are
/// missing or unreadable are reported like mistakes.
std::unique_ptr<CompiledStage> compile_stage(const PipelineSource& source, const NodeTypes& types, int stage,
                                             Diagnostics& diagnostics, int threads = 0,
                                             const Devices& devices = {});
/// All stages. Throws InvalidPipeline with everything that was found in any of them. Warnings go to
/// `warnings`.
std::vector<std::unique_ptr<CompiledStage>> compile_stages(const PipelineSource& source,
                                                           const NodeTypes& types, Diagnostics& warnings,
                                                           int threads = 0, const Devices& devices = {});

/// The same for those who want to know all that can be known: reports errors instead of throwing, and gives nullptr for
/// stages that could not be planned.
std::vector<std::unique_ptr<CompiledStage>> plan_stages(const PipelineSource& source, const NodeTypes& types,
                                                        Diagnostics& found, int threads = 0,
                                                        const Devices& devices = {});

/// Whether what a loop starts from comes from the canvas of an earlier one.
bool starts_from_canvas(const Program& program, std::size_t loop);

}  // namespace gramflow
