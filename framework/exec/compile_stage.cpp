#include <algorithm>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/exec/resident_memory.h"
#include "framework/exec/session.h"

namespace gramflow {

std::unique_ptr<CompiledStage> compile_stage(const PipelineSource& source, const NodeTypes& types, int stage,
                                             Diagnostics& diagnostics, int threads) {
  auto compiled = std::make_unique<CompiledStage>();
  const std::size_t errors = diagnostics.error_count();
  compiled->document = expand(source, stage, diagnostics, port_test(types));
  compiled->graph = link(compiled->document, types, diagnostics);
  if (diagnostics.error_count() > errors) return nullptr;
  Lowered lowered = lower(compiled->graph, diagnostics);
  if (diagnostics.error_count() > errors) return nullptr;
  ThreadScope scope(threads);  // kernels ask for scratch memory by worker
  compiled->threads = scope.threads();
  scope.execute([&] { compiled->plan = compile(std::move(lowered.program)); });
  compiled->optimization = std::move(lowered.optimization);
  compiled->run_state = std::move(lowered.run_state);
  const Program& program = compiled->plan.program;
  if (program.canvas != no_tensor)
    compiled->state_bytes =
        compiled->optimization.make_method()->state_floats(program.desc(program.canvas).shape.elements()) *
        sizeof(float);
  return compiled;
}

std::vector<std::unique_ptr<CompiledStage>> compile_stages(const PipelineSource& source,
                                                           const NodeTypes& types, Diagnostics& warnings,
                                                           int threads) {
  std::vector<std::unique_ptr<CompiledStage>> stages;
  Diagnostics found, ignored;
  const int count = std::max(1, expand(source, 0, ignored, port_test(types)).stages);
  for (int stage = 0; stage < count; ++stage)
    stages.push_back(compile_stage(source, types, stage, found, threads));
  if (found.has_errors()) throw InvalidPipeline(std::move(found));
  const std::size_t program_bytes = resident_bytes();
  for (const auto& stage : stages) stage->program_bytes = program_bytes;
  for (const Diagnostic& warning : found.sorted()) {
    Diagnostic& copy = warnings.warning(warning.code, warning.span, warning.message);
    copy = warning;
  }
  return stages;
}

}  // namespace gramflow
