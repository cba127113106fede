// List scheduling inside each section: among the operations whose inputs are ready, take the one that leaves
// the least memory live; of equals, the first written. Greedy and cheap; programs are chains with short side
// branches, where it finds what one would do by hand: each Gram right after its tap, each target before the
// next picture is read.
#include <algorithm>

#include "framework/compile/passes.h"

namespace gramflow {
namespace {

/// Operations [begin, end) of the program, which share a section.
void schedule_range(Program& program, std::size_t begin, std::size_t end, std::vector<int>& readers_left) {
  std::vector<bool> made_here(program.tensors.size(), false);
  for (std::size_t i = begin; i < end; ++i)
    for (const TensorId id : program.operations[i].outputs)
      if (id != no_tensor) made_here[static_cast<std::size_t>(id)] = true;

  std::vector<Operation> waiting(program.operations.begin() + static_cast<std::ptrdiff_t>(begin),
                                 program.operations.begin() + static_cast<std::ptrdiff_t>(end));
  std::vector<bool> placed(waiting.size(), false);
  const auto ready = [&](const Operation& operation) {
    return std::none_of(operation.inputs.begin(), operation.inputs.end(), [&](TensorId id) {
      return id != no_tensor && made_here[static_cast<std::size_t>(id)];
    });
  };
  const auto growth = [&](const Operation& operation) {
    double bytes = 0;
    for (const TensorId id : operation.outputs)
      if (id != no_tensor) bytes += static_cast<double>(program.desc(id).bytes());
    for (std::size_t k = 0; k < operation.inputs.size(); ++k) {
      const TensorId id = operation.inputs[k];
      const bool first_mention =
          std::find(operation.inputs.begin(), operation.inputs.begin() + static_cast<std::ptrdiff_t>(k),
                    id) == operation.inputs.begin() + static_cast<std::ptrdiff_t>(k);
      if (id == no_tensor || !first_mention) continue;
      const auto reads = std::count(operation.inputs.begin(), operation.inputs.end(), id);
      if (readers_left[static_cast<std::size_t>(id)] == reads)
        bytes -= static_cast<double>(program.desc(id).bytes());
    }
    return bytes;
  };

  for (std::size_t slot = begin; slot < end; ++slot) {
    std::size_t best = waiting.size();
    double best_growth = 0;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (placed[i] || !ready(waiting[i])) continue;
      const double bytes = growth(waiting[i]);
      if (best == waiting.size() || bytes < best_growth) {
        best = i;
        best_growth = bytes;
      }
    }
    placed[best] = true;
    for (const TensorId id : waiting[best].outputs)
      if (id != no_tensor) made_here[static_cast<std::size_t>(id)] = false;
    for (const TensorId id : waiting[best].inputs)
      if (id != no_tensor) --readers_left[static_cast<std::size_t>(id)];
    program.operations[slot] = waiting[best];
  }
}

}  // namespace

void schedule(Program& program) {
  std::vector<int> readers_left = count_readers(program);
  std::size_t begin = 0;
  while (begin < program.operations.size()) {
    std::size_t end = begin;
    while (end < program.operations.size() &&
           program.operations[end].section == program.operations[begin].section)
      ++end;
    schedule_range(program, begin, end, readers_left);
    begin = end;
  }
}

}  // namespace gramflow
