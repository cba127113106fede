#include "pipelines/run/memory_forecast.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"

namespace gramflow {
namespace {

/// The operation with the largest output: whose size has to be changed.
std::string largest_node(const Program& program) {
  std::size_t most = 0;
  std::string node;
  for (const Operation& operation : program.operations)
    for (const TensorId id : operation.outputs) {
      const std::size_t bytes = program.desc(id).bytes();
      if (bytes <= most) continue;
      most = bytes;
      node = fmt::format("'{}' ({})", operation.origin.node, program.desc(id).shape.to_string());
    }
  return node;
}

}  // namespace

std::string memory_problem(const std::vector<std::unique_ptr<CompiledStage>>& stages,
                           const AvailableMemory& available) {
  const auto largest = std::max_element(stages.begin(), stages.end(), [](const auto& a, const auto& b) {
    return a->planned_bytes() < b->planned_bytes();
  });
  if (largest == stages.end()) return "";
  const CompiledStage& stage = **largest;
  constexpr std::size_t stack_bytes = std::size_t{10}
                                      << 20;  // of a thread, with what its library maps beside it
  std::size_t needed = stage.planned_bytes() - std::min(stage.planned_bytes(), stage.program_bytes);
  if (available.address_space) needed += static_cast<std::size_t>(stage.plan.workers) * stack_bytes;
  if (needed <= available.bytes) return "";
  return fmt::format(
      "{} of memory are needed{}, and {} are {}; the largest is what {} gives. A smaller 'size' needs less; "
      "--force "
      "tries all the same",
      human_bytes(needed), stages.size() > 1 ? fmt::format(" in stage {}", stage.number + 1) : "",
      human_bytes(available.bytes), available.limit, largest_node(stage.plan.program));
}

}  // namespace gramflow
