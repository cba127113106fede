#pragma once
// A loss op with memory of its own, outside of any program: its value, its gradient through the op that it
// contributes, and finite differences to hold against that.
#include <functional>
#include <string>
#include <vector>

#include "framework/ops/op.h"

namespace gramflow::test {

/// Memory of one tensor.
struct Memory {
  TensorDesc desc;
  std::vector<double> words;  // aligned for every element type
  explicit Memory(TensorDesc d) : desc(d), words(d.bytes() / sizeof(double) + 1) {}
  Memory(Shape shape, const std::vector<float>& values);
  TensorView view() { return {words.data(), desc}; }
  Memory(Shape shape, const std::vector<double>& values);
  std::span<float> floats() { return view().floats(); }
  std::span<double> doubles() { return {words.data(), static_cast<std::size_t>(desc.shape.elements())}; }
};

class LossOp {
 public:
  LossOp(OpPtr op, std::vector<Memory> inputs);
  std::vector<Memory> inputs;
  /// Runs forward.
  double value();
  /// Of an input, after value(); with `add` on top of a gradient of ones.
  std::vector<double> gradient(int input = 0, bool add = false);
  /// Of an output that is not the loss.
  Memory& output(std::size_t index) { return outputs_[index]; }

 private:
  friend class Collector;
  OpPtr op_;
  std::vector<Memory> outputs_;
};

/// Values like those of a ReLU layer, as tests/golden/formula.py makes them.
Memory formula_features(int height, int width, int channels, int seed, bool rectified = true);

/// Compares the gradient with central differences of `value` along every `step`-th element of input 0 (f32);
/// `tolerance` is relative to the largest component.
void check_gradient(LossOp& loss, float distance, double tolerance, std::size_t step = 7);

/// Largest difference over the largest expected component.
double gradient_error(const std::vector<double>& gradient, const std::vector<double>& expected);

}  // namespace gramflow::test
