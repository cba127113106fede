#pragma once
// 2-D convolution with stride 1, with its data gradient. Both may be fused with their neighbours:
//
//   Convolution          input -> y, mask, pooled, index
//     relu: y = max(0, conv + bias), mask = (y > 0); pool: pooled = 2x2 maxima of y, index = where they stood
//     (4: not positive)
//   ConvolutionBackward  gradient | pooled gradient + index, mask, accumulator -> gradient of the input
//     mask: the ReLU below is differentiated in the same pass; accumulator: added before the mask is applied
#include <memory>
#include <string>

#include "framework/ops/filter_source.h"
#include "framework/ops/op.h"

namespace gramflow {

class Convolution final : public Op {
 public:
  enum Output { y, mask, pooled, index };
  explicit Convolution(std::shared_ptr<const FilterSource> filter, bool relu = false, bool pool = false);
  std::shared_ptr<const FilterSource> filter() const override { return filter_; }
  bool relu() const { return relu_; }
  bool pool() const { return pool_; }

  std::string_view kind() const override { return "Convolution"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  /// Of the plain convolution only: differentiation comes before fusion.
  void gradient(GradientBuilder& builder) const override;

 private:
  std::shared_ptr<const FilterSource> filter_;
  bool relu_;
  bool pool_;
};

class ConvolutionBackward final : public Op {
 public:
  /// With `pooled`, input 0 is the gradient of the pooled output, and `index` is present.
  enum Input { gradient_of_output, index, mask, accumulator_input, input_count };
  ConvolutionBackward(std::shared_ptr<const FilterSource> filter, Shape input_shape);
  const Shape& input_shape() const { return input_shape_; }
  std::shared_ptr<const FilterSource> filter() const override { return filter_; }

  std::string_view kind() const override { return "ConvolutionBackward"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  int accumulator() const override { return accumulator_input; }
  bool filters_backward() const override { return true; }

 private:
  std::shared_ptr<const FilterSource> filter_;
  Shape input_shape_;
};

}  // namespace gramflow
