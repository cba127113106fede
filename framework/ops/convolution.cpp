#include "framework/ops/convolution.h"

#include <fmt/format.h>

namespace gramflow {
namespace {

std::string describe(const FilterShape& filter) {
  return fmt::format("{} -> {}, {}x{}", filter.in_channels, filter.out_channels, filter.kernel,
                     filter.kernel);
}

Shape output_shape(const FilterShape& filter, const Shape& input) {
  const std::int64_t shrink = filter.kernel - 1 - 2 * filter.padding;
  return {input.height - shrink, input.width - shrink, filter.out_channels};
}

double multiply_adds(const FilterShape& filter, const Shape& input) {
  return static_cast<double>(output_shape(filter, input).pixels()) * filter.in_channels *
         filter.out_channels * filter.kernel * filter.kernel;
}

double total_bytes(std::span<const TensorDesc> descs) {
  double bytes = 0;
  for (const TensorDesc& desc : descs) bytes += static_cast<double>(desc.bytes());
  return bytes;
}

}  // namespace

Convolution::Convolution(std::shared_ptr<const FilterSource> filter, bool relu, bool pool)
    : filter_(std::move(filter)), relu_(relu), pool_(pool) {}

std::string Convolution::attributes() const {
  return describe(filter_->shape()) + (relu_ ? ", relu" : "") + (pool_ ? ", max pool" : "");
}

std::vector<TensorDesc> Convolution::infer(std::span<const TensorDesc> inputs) const {
  const Shape& input = inputs[0].shape;
  const FilterShape& filter = filter_->shape();
  if (input.channels != filter.in_channels)
    throw ShapeError(fmt::format("the convolution takes {} channels, its input has {}", filter.in_channels,
                                 input.channels));
  const Shape output = output_shape(filter, input);
  if (output.height < 1 || output.width < 1)
    throw ShapeError(fmt::format("an input of {}x{} pixels is too small for a {}x{} filter", input.width,
                                 input.height, filter.kernel, filter.kernel));
  if (filter.border == Border::reflect && (input.height <= filter.padding || input.width <= filter.padding))
    throw ShapeError(fmt::format("an input of {}x{} pixels is too small to be reflected at its border",
                                 input.width, input.height));
  std::vector<TensorDesc> made = {{output, ElementType::f32}};
  if (relu_) made.push_back({output, ElementType::bits});
  if (pool_) {
    const Shape half{output.height / 2, output.width / 2, output.channels};
    if (half.height < 1 || half.width < 1)
      throw ShapeError(
          fmt::format("an input of {}x{} pixels is too small to be pooled", output.width, output.height));
    made.push_back({half, ElementType::f32});
    made.push_back({half, ElementType::u8});
  }
  return made;
}

Cost Convolution::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  return {2 * multiply_adds(filter_->shape(), inputs[0].shape), total_bytes(inputs) + total_bytes(outputs)};
}

void Convolution::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  const auto op = std::make_shared<ConvolutionBackward>(filter_, builder.desc(builder.input(0)).shape);
  builder.contribute(0, op, {builder.output_gradient(y), no_tensor, no_tensor, no_tensor},
                     GradientBuilder::Route::trunk);
}

ConvolutionBackward::ConvolutionBackward(std::shared_ptr<const FilterSource> filter, Shape input_shape)
    : filter_(std::move(filter)), input_shape_(input_shape) {}

std::string ConvolutionBackward::attributes() const {
  return fmt::format("{} <- {}", filter_->shape().in_channels, filter_->shape().out_channels);
}

std::vector<TensorDesc> ConvolutionBackward::infer(std::span<const TensorDesc>) const {
  return {{input_shape_, ElementType::f32}};
}

Cost ConvolutionBackward::cost(std::span<const TensorDesc> inputs,
                               std::span<const TensorDesc> outputs) const {
  return {2 * multiply_adds(filter_->shape(), input_shape_), total_bytes(inputs) + total_bytes(outputs)};
}

}  // namespace gramflow
