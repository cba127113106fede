#pragma once
// 2-D convolution with stride 1, with its data gradient. Both may be fused with their neighbours:
//
//   Convolution          input -> y, mask, pooled, index
//     relu: y = max(0, conv + bias), mask = (y > 0); pool: pooled = 2x2 maxima of y, index = where they stood
//     (4: not positive)
//   ConvolutionBackward  gradient | pooled gradient + index, mask, accumulator -> gradient of the input
//     mask: the ReLU below is differentiated in the same pass; accumulator: added before the mask is applied
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "framework/devices/cpu/kernels.h"
#include "framework/ops/op.h"

namespace gramflow {

/// One layer's filter, shared by every convolution of that layer. The weights are read when acquire() asks
/// for them, and are kept in packed form only.
class FilterSource final : public Resource {
 public:
  /// Weights for as long as `owner` lives: OIHW, and one bias an output channel.
  struct Weights {
    const float* weights = nullptr;
    const float* bias = nullptr;
    std::shared_ptr<const void> owner;
  };
  /// `shape` has null pointers. `read` is called by acquire(), at most once a direction.
  FilterSource(cpu::Filter shape, cpu::ConvolutionMethod method, std::function<Weights()> read);

  const cpu::Filter& shape() const { return shape_; }
  cpu::ConvolutionMethod method() const { return method_; }
  /// Called by whoever makes a backward op: from then on the packed filter serves both directions.
  void request_backward() { backward_ = true; }
  std::size_t bytes() const override;
  void acquire() override;
  /// Only after acquire().
  const std::shared_ptr<const cpu::PackedFilter>& packed() const { return packed_; }

 private:
  cpu::Filter shape_;
  cpu::ConvolutionMethod method_;
  std::function<Weights()> read_;
  std::atomic<bool> backward_ = false;
  bool packed_backward_ = false;
  std::shared_ptr<const cpu::PackedFilter> packed_;
};

class Convolution final : public Op {
 public:
  enum Output { y, mask, pooled, index };
  explicit Convolution(std::shared_ptr<FilterSource> filter, bool relu = false, bool pool = false);
  const std::shared_ptr<FilterSource>& filter() const { return filter_; }
  bool relu() const { return relu_; }
  bool pool() const { return pool_; }

  std::string_view kind() const override { return "Convolution"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  std::size_t scratch_bytes(std::span<const TensorDesc> inputs) const override;
  Resource* resource() const override { return filter_.get(); }
  /// Of the plain convolution only: differentiation comes before fusion.
  void gradient(GradientBuilder& builder) const override;
  std::unique_ptr<Kernel> prepare(const Bindings& memory) const override;

 private:
  std::shared_ptr<FilterSource> filter_;
  bool relu_;
  bool pool_;
};

class ConvolutionBackward final : public Op {
 public:
  /// With `pooled`, input 0 is the gradient of the pooled output, and `index` is present.
  enum Input { gradient_of_output, index, mask, accumulator_input, input_count };
  ConvolutionBackward(std::shared_ptr<FilterSource> filter, Shape input_shape);
  const std::shared_ptr<FilterSource>& filter() const { return filter_; }

  std::string_view kind() const override { return "ConvolutionBackward"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  std::size_t scratch_bytes(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }
  Resource* resource() const override { return filter_.get(); }
  std::unique_ptr<Kernel> prepare(const Bindings& memory) const override;

 private:
  std::shared_ptr<FilterSource> filter_;
  Shape input_shape_;
};

}  // namespace gramflow
