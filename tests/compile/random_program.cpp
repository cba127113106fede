#include "tests/compile/random_program.h"

#include <algorithm>
#include <random>
#include <string>

namespace gramflow::test {
namespace {

/// Makes one tensor of a given size from any inputs.
class AnyOp final : public Op {
 public:
  struct Traits {
    std::int64_t floats = 1;
    std::size_t scratch = 0;
    int accumulator = -1;
    int overwritable = -1;
    bool effect = false;
    ElementType type = ElementType::f32;
  };
  explicit AnyOp(const Traits& traits) : traits_(traits) {}
  std::string_view kind() const override { return "Any"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc>) const override {
    if (traits_.effect) return {};
    return {{{1, 1, traits_.floats}, traits_.type}};
  }
  std::size_t scratch() const { return traits_.scratch; }
  int accumulator() const override { return traits_.accumulator; }
  int overwritable() const override { return traits_.overwritable; }
  bool has_effect() const override { return traits_.effect; }

 private:
  Traits traits_;
};

/// Runs nothing; knows how much scratch each op wants, and what of it lies on the host.
class AnyDevice final : public Device {
 public:
  std::string_view name() const override { return "any"; }
  std::string description() const override { return "any"; }
  double measure_peak_gflops(double) const override { return 1; }
  bool runs(const Op&, std::span<const TensorDesc>) const override { return true; }
  std::size_t scratch_bytes(const Op& op, std::span<const TensorDesc>) const override {
    return static_cast<const AnyOp&>(op).scratch();
  }
  std::size_t heap_bytes(const Op&) const override { return 0; }
  std::size_t packed_bytes(const FilterUse&) const override { return 0; }
  std::unique_ptr<Buffer> allocate(std::size_t) override { return nullptr; }
  void forget(Buffer&) override {}
  void upload(const void*, const DeviceView&) override {}
  void download(const DeviceView&, void*) override {}
  void pack(std::span<const FilterUse>) override {}
  std::unique_ptr<Kernel> prepare(const Op&, const DeviceBindings&) override {
    return make_kernel([] {});
  }
  void read_scalars(std::span<const DeviceView>, std::span<double>) override {}
};

class Maker {
 public:
  Maker(std::uint64_t seed, const ProgramSizes& sizes) : sizes_(sizes), random_(seed) {}

  Program run() {
    for (int k = 0; k <= sizes_.loops; ++k) {
      straight(k);
      if (k < sizes_.loops) loop(k);
    }
    return std::move(program_);
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<std::uint64_t>(limit)); }
  std::int64_t floats() { return std::int64_t{16} << below(8); }

  TensorId append(AnyOp::Traits traits, std::vector<TensorId> inputs, int section, std::int64_t every = 0) {
    if (below(3) == 0) traits.scratch = 64 * static_cast<std::size_t>(1 + below(20));
    Operation operation;
    operation.op = std::make_shared<AnyOp>(traits);
    operation.inputs = std::move(inputs);
    operation.label = "op" + std::to_string(program_.operations.size());
    operation.origin.node = operation.label;
    operation.section = section;
    operation.every = every;
    const std::vector<TensorId>& outputs = program_.append(std::move(operation)).outputs;
    return outputs.empty() ? no_tensor : outputs.front();
  }

  TensorId any(const std::vector<TensorId>& from) {
    return from[static_cast<std::size_t>(below(static_cast<int>(from.size())))];
  }

  /// From what was made before, and sometimes over it.
  TensorId make(std::vector<TensorId>& visible, std::vector<TensorId>& own, int section) {
    AnyOp::Traits traits;
    traits.floats = floats();
    std::vector<TensorId> inputs;
    for (int i = below(3); i >= 0 && !visible.empty(); --i) inputs.push_back(any(visible));
    if (!inputs.empty() && below(2) == 0) {
      traits.overwritable = 0;
      traits.floats = program_.desc(inputs[0]).shape.channels;
    }
    if (!own.empty() && below(4) == 0) {  // adds to something of this section, which is spent by that
      const TensorId sum = own.back();
      own.pop_back();
      std::erase(visible, sum);
      bool read = false;
      for (const Operation& operation : program_.operations)
        read = read ||
               std::find(operation.inputs.begin(), operation.inputs.end(), sum) != operation.inputs.end();
      std::erase(inputs, sum);
      if (traits.overwritable == 0 && !inputs.empty())
        traits.floats = program_.desc(inputs[0]).shape.channels;
      if (!read) {
        traits.accumulator = static_cast<int>(inputs.size());
        traits.overwritable = -1;
        traits.floats = program_.desc(sum).shape.channels;
        inputs.push_back(sum);
      }
    }
    if (inputs.empty()) traits.overwritable = -1;
    const TensorId made = append(traits, inputs, section);
    visible.push_back(made);
    own.push_back(made);
    return made;
  }

  void straight(int k) {
    std::vector<TensorId> visible = lasting_, own;
    for (int i = 0; i < sizes_.operations; ++i) {
      make(visible, own, straight_section(k));
      if (below(3) == 0) append({.effect = true}, {any(visible)}, straight_section(k), k > 0 ? below(3) : 0);
    }
    for (const TensorId id : own)
      if (below(2) == 0) lasting_.push_back(id);
    if (lasting_.empty()) lasting_.push_back(own.back());
  }

  void loop(int k) {
    Loop loop;
    loop.node = "loop" + std::to_string(k);
    loop.start = any(lasting_);
    loop.canvas = program_.add_tensor(program_.desc(loop.start), loop.node + ".canvas");
    loop.state = program_.add_tensor({{1, 1, 100}, ElementType::f32}, loop.node + ".state");
    std::vector<TensorId> visible = lasting_, own;
    visible.push_back(loop.canvas);
    for (int i = 0; i < sizes_.operations; ++i) {
      const TensorId made = make(visible, own, loop_section(k));
      if (below(4) == 0) {
        AnyOp::Traits loss;
        loss.type = ElementType::f64;
        loop.losses.push_back({"loss", "", append(loss, {made, loop.canvas}, loop_section(k))});
      }
    }
    AnyOp::Traits gradient;
    gradient.floats = program_.desc(loop.canvas).shape.channels;
    loop.gradient = append(gradient, {any(visible), loop.canvas}, loop_section(k));
    lasting_.push_back(loop.canvas);
    program_.loops.push_back(std::move(loop));
  }

  ProgramSizes sizes_;
  std::mt19937_64 random_;
  Program program_;
  std::vector<TensorId> lasting_;  // what later sections may read
};

}  // namespace

Program random_program(std::uint64_t seed, const ProgramSizes& sizes) { return Maker(seed, sizes).run(); }

Devices any_devices(bool apart) {
  const auto main = std::make_shared<AnyDevice>();
  return {main, apart ? std::make_shared<AnyDevice>() : main};
}

}  // namespace gramflow::test
