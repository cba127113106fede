#include <algorithm>

#include "framework/compile/passes.h"

namespace gramflow {

std::vector<int> count_readers(const Program& program) {
  std::vector<int> readers(program.tensors.size(), 0);
  const auto read = [&](TensorId id) {
    if (id != no_tensor) ++readers[static_cast<std::size_t>(id)];
  };
  for (const Operation& operation : program.operations)
    for (const TensorId id : operation.inputs) read(id);
  for (const Loop& loop : program.loops) {
    for (const LossTerm& loss : loop.losses) read(loss.tensor);
    read(loop.gradient);
    read(loop.start);
  }
  return readers;
}

void eliminate(Program& program) {
  std::vector<int> readers = count_readers(program);
  std::vector<bool> kept(program.operations.size(), true);
  for (std::size_t i = program.operations.size(); i-- > 0;) {
    Operation& operation = program.operations[i];
    bool read = operation.op->has_effect();
    for (TensorId& id : operation.outputs) {
      if (id == no_tensor) continue;
      if (readers[static_cast<std::size_t>(id)] > 0)
        read = true;
      else
        id = no_tensor;
    }
    if (read) continue;
    kept[i] = false;
    for (const TensorId id : operation.inputs)
      if (id != no_tensor) --readers[static_cast<std::size_t>(id)];
  }
  std::vector<Operation> result;
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i]) result.push_back(std::move(program.operations[i]));
  program.operations = std::move(result);
}

}  // namespace gramflow
