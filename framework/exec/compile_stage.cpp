#include "framework/exec/compile_stage.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/base/resident_memory.h"
#include "framework/compile/compile.h"
#include "framework/compile/passes.h"
#include "framework/config/expand.h"
#include "framework/devices/cpu/cpu_device.h"
#include "framework/graph/untrusted_files.h"

namespace gramflow {
namespace {

void report(const NoGradient& problem, const Graph& graph, Diagnostics& diagnostics) {
  const Node& node = graph.nodes[static_cast<std::size_t>(graph.find(problem.origin().node))];
  diagnostics
      .error("no-gradient", problem.origin().span,
             "'" + node.id() + "' (" + node.type->name + ") stands between a canvas and a loss, and " +
                 node.type->name + " has no gradient")
      .suggest("do this to the pictures before, or to the finished picture");
}

Devices or_cpu(const Devices& devices) { return devices.main != nullptr ? devices : cpu_devices(); }

std::size_t bytes_of_canvases(const Program& program) {
  std::size_t bytes = 0;
  for (const Loop& loop : program.loops) bytes += program.desc(loop.canvas).bytes();
  return bytes;
}

}  // namespace

std::size_t CompiledStage::device_bytes() const {
  if (!plan.devices.apart()) return 0;
  std::size_t bytes = plan.arena_bytes + plan.filter_bytes;
  for (const Loop& loop : plan.program.loops)  // canvas and gradient
    bytes += 2 * plan.program.desc(loop.canvas).bytes();
  return bytes;
}

bool starts_from_canvas(const Program& program, std::size_t loop) {
  std::vector<bool> moved(program.tensors.size(), false);
  for (const Loop& earlier : program.loops) moved[static_cast<std::size_t>(earlier.canvas)] = true;
  for (const Operation& operation : program.operations)
    if (std::any_of(operation.inputs.begin(), operation.inputs.end(),
                    [&](TensorId id) { return id != no_tensor && moved[static_cast<std::size_t>(id)]; }))
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) moved[static_cast<std::size_t>(id)] = true;
  return moved[static_cast<std::size_t>(program.loops[loop].start)];
}

std::unique_ptr<CompiledStage> compile_stage(const PipelineSource& source, const NodeTypes& types, int stage,
                                             Diagnostics& diagnostics, int threads, const Devices& devices) {
  auto compiled = std::make_unique<CompiledStage>();
  const std::size_t errors = diagnostics.error_count();
  compiled->number = stage;
  compiled->document = expand(source, stage, diagnostics, port_test(types));
  compiled->last = stage + 1 == std::max(1, compiled->document.stages);
  compiled->graph = link(compiled->document, types, diagnostics);
  if (source.untrusted) check_untrusted_reads(compiled->graph, diagnostics);
  if (diagnostics.error_count() > errors) return nullptr;
  Lowered lowered = lower(compiled->graph, diagnostics);
  if (source.untrusted) check_untrusted_files(compiled->graph, lowered.files, diagnostics);
  if (diagnostics.error_count() > errors + lowered.missing_files) return nullptr;
  ThreadScope scope(threads);  // kernels ask for scratch memory by worker
  try {
    scope.execute([&] { compiled->plan = compile(std::move(lowered.program), or_cpu(devices)); });
  } catch (const NoGradient& problem) {
    report(problem, compiled->graph, diagnostics);
    return nullptr;
  }
  compiled->optimizations = std::move(lowered.optimizations);
  compiled->run_state = std::move(lowered.run_state);
  compiled->files = std::move(lowered.files);
  compiled->run_state->stage = stage;
  return compiled;
}

namespace {

/// What a stage in the middle writes: the pictures of those who asked for previews, and those that have a name of
/// their own in it. Names that several stages would write one after the other are mistakes, when they are meant
/// to be different.
void decide_what_is_written(std::vector<std::unique_ptr<CompiledStage>>& stages, Diagnostics& found) {
  if (std::any_of(stages.begin(), stages.end(), [](const auto& stage) { return stage == nullptr; })) return;
  std::unordered_map<std::string, const Operation*> final_writers;  // of the last stage, by node
  for (const Operation& operation : stages.back()->plan.program.operations)
    if (!operation.writes.empty()) final_writers.emplace(operation.origin.node, &operation);
  std::map<std::string, int> writers;  // by node and name: stages that write it
  for (const auto& stage : stages)
    for (Operation& operation : stage->plan.program.operations) {
      if (operation.writes.empty()) continue;
      const auto last = final_writers.find(operation.origin.node);
      operation.at_stage_end =
          operation.every > 0 || last == final_writers.end() || last->second->writes != operation.writes;
      if (!stage->last && !operation.at_stage_end) continue;
      const bool counts = operation.writes.find("{iteration}") != std::string::npos &&
                          operation.writes.find("{stage}") == std::string::npos;
      if (!counts || ++writers[operation.origin.node + ' ' + operation.writes] != 2) continue;
      const Node& node =
          stage->graph.nodes[static_cast<std::size_t>(stage->graph.find(operation.origin.node))];
      found
          .error("file-used-twice", node.span_of("path"),
                 "'" + operation.writes +
                     "' names the same files in several stages, which would overwrite each other's")
          .suggest("add {stage} to it");
    }
}

}  // namespace

std::vector<std::unique_ptr<CompiledStage>> plan_stages(const PipelineSource& source, const NodeTypes& types,
                                                        Diagnostics& found, int threads,
                                                        const Devices& devices) {
  const Devices chosen = or_cpu(devices);
  std::vector<std::unique_ptr<CompiledStage>> stages;
  Diagnostics ignored;
  const int count = std::max(1, expand(source, 0, ignored, port_test(types)).stages);
  for (int stage = 0; stage < count; ++stage)
    stages.push_back(compile_stage(source, types, stage, found, threads, chosen));
  decide_what_is_written(stages, found);
  const std::size_t program_bytes = resident_bytes();
  std::size_t handed_in = 0;
  for (const auto& stage : stages) {
    if (stage == nullptr) continue;
    stage->program_bytes = program_bytes;
    const std::size_t handed_on = bytes_of_canvases(stage->plan.program);
    stage->carried_bytes = std::max(handed_in, handed_on);
    handed_in = handed_on;
  }
  return stages;
}

std::vector<std::unique_ptr<CompiledStage>> compile_stages(const PipelineSource& source,
                                                           const NodeTypes& types, Diagnostics& warnings,
                                                           int threads, const Devices& devices) {
  Diagnostics found;
  std::vector<std::unique_ptr<CompiledStage>> stages = plan_stages(source, types, found, threads, devices);
  if (found.has_errors()) throw InvalidPipeline(std::move(found));
  for (const Diagnostic& warning : found.sorted()) {
    Diagnostic& copy = warnings.warning(warning.code, warning.span, warning.message);
    copy = warning;
  }
  return stages;
}

}  // namespace gramflow
