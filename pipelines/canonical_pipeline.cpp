#include "pipelines/canonical_pipeline.h"

#include <map>
#include <set>

namespace gramflow {
namespace {

/// Node -> the files that its Load operations read, one a stage when stages differ.
std::map<std::string, std::set<std::string>> loaded_files(
    const std::vector<std::unique_ptr<CompiledStage>>& stages) {
  std::map<std::string, std::set<std::string>> files;
  for (const auto& stage : stages)
    for (const Operation& operation : stage->plan.program.operations)
      if (operation.op->kind() == "Load") files[operation.origin.node].insert(operation.op->attributes());
  return files;
}

}  // namespace

std::string canonical_pipeline(const PipelineSource& source,
                               const std::vector<std::unique_ptr<CompiledStage>>& stages,
                               const NodeTypes& types) {
  PipelineSource found = source;
  for (const auto& [node, files] : loaded_files(stages))
    if (files.size() == 1) found.overrides.push_back({"nodes." + node + ".path", "'" + *files.begin() + "'"});
  Diagnostics diagnostics;
  const std::string text = canonical_yaml(found, diagnostics, port_test(types));
  if (!diagnostics.has_errors()) return text;
  Diagnostics ignored;
  return canonical_yaml(source, ignored, port_test(types));
}

}  // namespace gramflow
