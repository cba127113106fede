#include "tests/losses/loss_op.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/formula.h"
#include "tests/support/reference.h"
#include "tests/support/run_op.h"

namespace gramflow::test {

Memory::Memory(Shape shape, const std::vector<float>& values) : Memory(TensorDesc{shape, ElementType::f32}) {
  std::copy(values.begin(), values.end(), floats().begin());
}

Memory::Memory(Shape shape, const std::vector<double>& values) : Memory(TensorDesc{shape, ElementType::f64}) {
  std::copy(values.begin(), values.end(), words.begin());
}

/// Tensors are numbered: the op's inputs, then its outputs.
class Collector final : public GradientBuilder {
 public:
  Collector(LossOp& loss, int wanted) : loss_(loss), wanted_(wanted) {}
  TensorId input(int index) const override { return index; }
  TensorId output(int index) const override { return static_cast<TensorId>(loss_.inputs.size()) + index; }
  TensorId output_gradient(int) override { return no_tensor; }
  bool wanted(int index) const override { return index == wanted_; }
  const TensorDesc& desc(TensorId id) const override { return memory(id).desc; }
  void contribute(int index, OpPtr op, std::vector<TensorId> inputs, Route) override {
    REQUIRE(index == wanted_);
    REQUIRE(op_ == nullptr);
    op_ = std::move(op);
    inputs_ = std::move(inputs);
  }
  std::vector<double> run(bool add) {
    REQUIRE(op_ != nullptr);
    std::vector<TensorDesc> descs;
    std::vector<TensorView> views;
    for (const TensorId id : inputs_) {
      descs.push_back(id == no_tensor ? absent_tensor : memory(id).desc);
      views.push_back(id == no_tensor ? TensorView{} : memory(id).view());
    }
    Memory result(op_->infer(descs).front());
    const bool wide = result.desc.type == ElementType::f64;
    std::fill(result.words.begin(), result.words.end(), add ? 1.0 : NAN);
    if (!wide) std::fill(result.floats().begin(), result.floats().end(), add ? 1.0F : NAN);
    if (add) {
      REQUIRE(op_->accumulator() >= 0);
      views[static_cast<std::size_t>(op_->accumulator())] = result.view();
    }
    const std::size_t bytes = scratch_bytes(*op_, descs);
    test::Scratch scratch(bytes);
    const std::vector<TensorView> outputs = {result.view()};
    run_op(*op_, views, outputs, scratch.data(), bytes);
    CHECK(scratch.intact());
    if (wide) return {result.doubles().begin(), result.doubles().end()};
    return {result.floats().begin(), result.floats().end()};
  }

 private:
  Memory& memory(TensorId id) const {
    const auto index = static_cast<std::size_t>(id);
    return index < loss_.inputs.size() ? loss_.inputs[index] : loss_.outputs_[index - loss_.inputs.size()];
  }
  LossOp& loss_;
  int wanted_;
  OpPtr op_;
  std::vector<TensorId> inputs_;
};

LossOp::LossOp(OpPtr op, std::vector<Memory> given) : inputs(std::move(given)), op_(std::move(op)) {
  std::vector<TensorDesc> descs;
  for (const Memory& input : inputs) descs.push_back(input.desc);
  for (const TensorDesc& desc : op_->infer(descs)) outputs_.emplace_back(desc);
}

double LossOp::value() {
  std::vector<TensorDesc> descs;
  std::vector<TensorView> from, to;
  for (Memory& input : inputs) {
    descs.push_back(input.desc);
    from.push_back(present(input.desc) ? input.view() : TensorView{});
  }
  for (Memory& output : outputs_) to.push_back(output.view());
  const std::size_t bytes = scratch_bytes(*op_, descs);
  test::Scratch scratch(bytes);
  run_op(*op_, from, to, scratch.data(), bytes);
  CHECK(scratch.intact());
  return *outputs_.front().view().f64();
}

std::vector<double> LossOp::gradient(int input, bool add) {
  Collector collector(*this, input);
  op_->gradient(collector);
  return collector.run(add);
}

Memory formula_features(int height, int width, int channels, int seed, bool rectified) {
  Memory memory({Shape{height, width, channels}, ElementType::f32});
  std::uint64_t k = 0;
  for (float& value : memory.floats()) {
    value = static_cast<float>(2 * formula(k++, static_cast<std::uint64_t>(seed)) - 0.7);
    if (rectified) value = std::max(value, 0.0F);
  }
  return memory;
}

void check_gradient(LossOp& loss, float distance, double tolerance, std::size_t step) {
  loss.value();
  const std::vector<double> gradient = loss.gradient();
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::fabs(g));
  REQUIRE(largest > 0);
  const std::span<float> x = loss.inputs[0].floats();
  for (std::size_t i = 0; i < x.size(); i += step) {
    const float here = x[i];
    x[i] = here + distance;
    const float up = x[i];
    const double above = loss.value();
    x[i] = here - distance;
    const double width = static_cast<double>(up) - static_cast<double>(x[i]);
    const double difference = (above - loss.value()) / width;
    x[i] = here;
    CAPTURE(i);
    CHECK(std::fabs(difference - gradient[i]) <= tolerance * largest);
  }
}

double gradient_error(const std::vector<double>& gradient, const std::vector<double>& expected) {
  REQUIRE(gradient.size() == expected.size());
  double largest = 0, error = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    largest = std::max(largest, std::fabs(expected[i]));
    error = std::max(error, std::fabs(gradient[i] - expected[i]));
  }
  return largest > 0 ? error / largest : error;
}

}  // namespace gramflow::test
