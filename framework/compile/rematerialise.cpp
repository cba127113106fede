// What lies longest in memory is what the first layers made: it waits for the whole way to the losses and
// back. Where making it again costs next to nothing, it is better forgotten. So an operation of the loop that
// reads the canvas alone (always there), makes a large tensor that going back wants, and costs little of an
// iteration is done a second time just before the first operation that goes back through it:
//
//   y = conv(canvas)   forward(y)   ...   backward(y, ...)
//   y = conv(canvas)   forward(y)   ...   y' = conv(canvas)   backward(y', ...)
//
// y and y' hold the same bits, and y dies before y' is made. With VGG-19 at its usual layers that is
// conv1_1, a hundredth of an iteration and a third of its memory.
#include <algorithm>
#include <map>

#include "framework/compile/passes.h"

namespace gramflow {
namespace {

constexpr std::size_t large = std::size_t{16} << 20;  ///< bytes; below nothing is gained
constexpr double cheap = 0.01;                        ///< of the loop's floating-point operations

bool reads(const Operation& operation, TensorId tensor) {
  return std::find(operation.inputs.begin(), operation.inputs.end(), tensor) != operation.inputs.end();
}

bool worth_repeating(const Program& program, const Operation& operation, const std::vector<double>& flops) {
  if (!is_loop(operation.section) || operation.backward || operation.op->has_effect()) return false;
  const TensorId canvas = program.loops[static_cast<std::size_t>(loop_of(operation.section))].canvas;
  const TensorId made = operation.outputs.front();
  const bool from_canvas = std::all_of(operation.inputs.begin(), operation.inputs.end(),
                                       [&](TensorId id) { return id == canvas || id == no_tensor; });
  if (!from_canvas || made == no_tensor || program.desc(made).bytes() < large) return false;
  const auto read_by = [&](bool backward) {
    return std::any_of(program.operations.begin(), program.operations.end(), [&](const Operation& reader) {
      return reader.section == operation.section && reader.backward == backward && reads(reader, made);
    });
  };
  const bool read_outside = std::any_of(
      program.operations.begin(), program.operations.end(),
      [&](const Operation& reader) { return reader.section != operation.section && reads(reader, made); });
  if (read_outside) return false;  // it has to stay anyway
  return read_by(false) && read_by(true) &&
         program.cost(operation).flops <= cheap * flops[static_cast<std::size_t>(operation.section)];
}

/// The operation once more, with outputs of its own, which all that goes back reads from now on.
Operation repeat(Program& program, const Operation& original) {
  Operation again = original;
  again.label += " again";
  again.backward = true;
  again.repeated = true;
  std::map<TensorId, TensorId> replacement;
  for (TensorId& id : again.outputs)
    if (id != no_tensor) {
      const Tensor tensor = program.tensors[static_cast<std::size_t>(id)];
      id = replacement[id] = program.add_tensor(tensor.desc, tensor.name + " again");
    }
  for (Operation& reader : program.operations)
    if (reader.backward)
      for (TensorId& id : reader.inputs)
        if (const auto found = replacement.find(id); found != replacement.end()) id = found->second;
  return again;
}

}  // namespace

void rematerialise(Program& program) {
  std::vector<double> flops(static_cast<std::size_t>(program.sections()), 0);
  for (const Operation& operation : program.operations)
    flops[static_cast<std::size_t>(operation.section)] += program.cost(operation).flops;
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    if (!worth_repeating(program, program.operations[i], flops)) continue;
    Operation again = repeat(program, program.operations[i]);
    const auto first =
        std::find_if(program.operations.begin(), program.operations.end(), [&](const Operation& operation) {
          return std::any_of(again.outputs.begin(), again.outputs.end(),
                             [&](TensorId id) { return id != no_tensor && reads(operation, id); });
        });
    program.operations.insert(first, std::move(again));
  }
  eliminate(program);
}

}  // namespace gramflow
