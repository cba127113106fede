#include "framework/compile/needed.h"

#include <algorithm>

namespace gramflow {

std::vector<int> needed_operations(const Program& program, int section,
                                   const std::function<bool(const Operation&)>& chosen,
                                   std::vector<bool> later) {
  std::vector<bool> wanted = std::move(later);
  wanted.resize(program.tensors.size(), false);
  const auto end =
      std::upper_bound(program.operations.begin(), program.operations.end(), section,
                       [](int value, const Operation& operation) { return value < operation.section; });
  std::vector<int> operations;
  for (auto i = static_cast<std::size_t>(end - program.operations.begin());
       i-- > 0 && program.operations[i].section == section;) {
    const Operation& operation = program.operations[i];
    bool needed = operation.op->has_effect() && chosen(operation);
    for (const TensorId id : operation.outputs)
      needed = needed || (id != no_tensor && wanted[static_cast<std::size_t>(id)]);
    if (!needed) continue;
    operations.push_back(static_cast<int>(i));
    for (const TensorId id : operation.inputs)
      if (id != no_tensor) wanted[static_cast<std::size_t>(id)] = true;
  }
  std::reverse(operations.begin(), operations.end());
  return operations;
}

std::vector<bool> read_after(const Program& program, int section) {
  std::vector<bool> read(program.tensors.size(), false);
  for (const Operation& operation : program.operations)
    if (operation.section > section)
      for (const TensorId id : operation.inputs)
        if (id != no_tensor) read[static_cast<std::size_t>(id)] = true;
  for (std::size_t k = 0; k < program.loops.size(); ++k)
    if (loop_section(static_cast<int>(k)) > section && program.loops[k].start != no_tensor)
      read[static_cast<std::size_t>(program.loops[k].start)] = true;
  return read;
}

}  // namespace gramflow
