// An operation runs on the device when the device can, otherwise on the host. What one side makes and the
// other reads is copied once a section, by an operation of its own:
//   - read in the section that made it, or in a straight one: before its first reader there;
//   - made earlier and read in a loop: at the end of the straight section before the loop, once for all turns.
// A canvas counts as made in its loop. The gradient is wanted on the device, where the canvas is; losses and
// starts are read where they are.
#include <iterator>
#include <map>
#include <stdexcept>

#include "framework/compile/passes.h"
#include "framework/ops/transfer.h"

namespace gramflow {
namespace {

class TransferInserter {
 public:
  explicit TransferInserter(Program& program)
      : program_(program), sections_(static_cast<std::size_t>(program.sections())) {}

  void run() {
    made_in_.assign(program_.tensors.size(), 0);
    for (std::size_t k = 0; k < program_.loops.size(); ++k)
      made_in_[static_cast<std::size_t>(program_.loops[k].canvas)] = loop_section(static_cast<int>(k));
    for (const Operation& operation : program_.operations)
      for (const TensorId id : operation.outputs)
        if (id != no_tensor) made_in_[static_cast<std::size_t>(id)] = operation.section;
    for (Operation& operation : program_.operations) {
      for (TensorId& id : operation.inputs)
        if (id != no_tensor && place_of(id) != operation.place) id = copy(id, operation.section, operation);
      sections_[static_cast<std::size_t>(operation.section)].push_back(std::move(operation));
    }
    for (std::size_t k = 0; k < program_.loops.size(); ++k) {
      Loop& loop = program_.loops[k];
      const int section = loop_section(static_cast<int>(k));
      if (loop.gradient != no_tensor && place_of(loop.gradient) == Place::host)
        loop.gradient = copy(loop.gradient, section, sections_[static_cast<std::size_t>(section)].back());
    }
    program_.operations.clear();
    for (std::vector<Operation>& section : sections_)
      std::move(section.begin(), section.end(), std::back_inserter(program_.operations));
  }

 private:
  Place place_of(TensorId id) const { return program_.tensors[static_cast<std::size_t>(id)].place; }

  TensorId copy(TensorId id, int read_in, const Operation& reader) {
    const int made = made_in_[static_cast<std::size_t>(id)];
    const int section = made == read_in || !is_loop(read_in) ? read_in : read_in - 1;
    const auto [known, fresh] = copies_.try_emplace({id, section}, no_tensor);
    if (!fresh) return known->second;
    const bool up = place_of(id) == Place::host;
    Operation transfer;
    transfer.op =
        std::make_shared<Transfer>(up ? Transfer::Direction::upload : Transfer::Direction::download);
    transfer.inputs = {id};
    transfer.origin = reader.origin;
    transfer.label =
        program_.tensors[static_cast<std::size_t>(id)].name + (up ? " to the device" : " to the host");
    transfer.section = section;
    transfer.place = up ? Place::device : Place::host;
    transfer.backward = reader.backward && section == reader.section;
    known->second = program_.add_tensor(program_.desc(id), transfer.label);
    program_.tensors.back().place = up ? Place::device : Place::host;
    transfer.outputs = {known->second};
    sections_[static_cast<std::size_t>(section)].push_back(std::move(transfer));
    return known->second;
  }

  Program& program_;
  std::vector<std::vector<Operation>> sections_;
  std::vector<int> made_in_;                             // by tensor of the program as it was
  std::map<std::pair<TensorId, int>, TensorId> copies_;  // by tensor and section
};

}  // namespace

void place(Program& program, const Devices& devices) {
  for (Operation& operation : program.operations) {
    const std::vector<TensorDesc> inputs = program.descs(operation.inputs);
    operation.place = devices.main->runs(*operation.op, inputs) ? Place::device : Place::host;
    if (!devices.at(operation.place).runs(*operation.op, inputs))
      throw std::logic_error("no device runs " + std::string(operation.op->kind()));
    for (const TensorId id : operation.outputs)
      if (id != no_tensor) program.tensors[static_cast<std::size_t>(id)].place = operation.place;
  }
}

void insert_transfers(Program& program) { TransferInserter(program).run(); }

}  // namespace gramflow
