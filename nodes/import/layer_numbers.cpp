// Everything that is folded is linear in the kernel, and done in double:
//   weight norm   w = g v / |v|                       for each filter
//   pruning       w = v * mask
//   batch norm    w' = w s, b' = (b - mean) s + shift, s = scale / sqrt(variance + epsilon)
#include "nodes/import/layer_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "nodes/import/choose_convention.h"

namespace gramflow {
namespace {

void check_finite(const std::string& file, const std::string& what, const std::vector<float>& values) {
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad != values.end())
    throw RunError(fmt::format("{}: {} holds {} at position {}; the file is damaged", file, what, *bad,
                               bad - values.begin()));
}

class LayerReader {
 public:
  LayerReader(const std::string& file, const TensorSource& source, const LayerTensors& tensors)
      : file_(file), source_(source), tensors_(tensors), layer_(*tensors.layer) {}

  ConvolutionWeights run() {
    const KernelParts& kernel = tensors_.kernel;
    numbers_.weights = read(kernel.weight);
    if (kernel.mask) {
      const std::vector<float> mask = read(*kernel.mask);
      for (std::size_t i = 0; i < mask.size(); ++i) numbers_.weights[i] *= mask[i];
    }
    numbers_.weights = to_oihw(std::move(numbers_.weights), tensors_.layout, layer_.out_channels,
                               layer_.in_channels, layer_.kernel);
    numbers_.bias = kernel.bias ? read(*kernel.bias)
                                : std::vector<float>(static_cast<std::size_t>(layer_.out_channels), 0.0F);
    if (kernel.length) set_lengths(read(*kernel.length));
    if (tensors_.norm) fold(*tensors_.norm);
    return std::move(numbers_);
  }

 private:
  std::vector<float> read(std::size_t index) {
    std::vector<float> values = std::move(source_.read({index}).at(0));
    check_finite(file_, "tensor '" + printable(source_.tensors()[index].name) + "'", values);
    return values;
  }

  std::size_t filter_size() const { return numbers_.weights.size() / numbers_.bias.size(); }

  void set_lengths(const std::vector<float>& lengths) {
    const std::size_t size = filter_size();
    for (std::size_t o = 0; o < lengths.size(); ++o) {
      double squares = 0;
      for (std::size_t i = 0; i < size; ++i)
        squares += static_cast<double>(numbers_.weights[o * size + i]) * numbers_.weights[o * size + i];
      const double factor = lengths[o] / std::sqrt(squares);
      for (std::size_t i = 0; i < size; ++i)
        numbers_.weights[o * size + i] = static_cast<float>(numbers_.weights[o * size + i] * factor);
    }
    check_finite(file_, "the weight norm of " + layer_.name, numbers_.weights);
  }

  void fold(const NormParts& norm) {
    const std::vector<float> mean = read(norm.mean);
    const std::vector<float> variance = read(norm.variance);
    const std::vector<float> scale = norm.scale ? read(*norm.scale) : std::vector<float>(mean.size(), 1.0F);
    const std::vector<float> shift = norm.shift ? read(*norm.shift) : std::vector<float>(mean.size(), 0.0F);
    const float divisor = norm.divisor ? read(*norm.divisor).at(0) : 1.0F;
    const double part = divisor == 0 ? 0.0 : 1.0 / divisor;
    const std::size_t size = filter_size();
    for (std::size_t o = 0; o < numbers_.bias.size(); ++o) {
      const double spread = static_cast<double>(variance[o]) * part + norm.epsilon.value_or(0);
      if (!(spread > 0))
        throw RunError(fmt::format("{}: the variance of '{}' is {} at position {}, which no norm divides by",
                                   file_, printable(norm.module), variance[o], o));
      const double factor = scale[o] / std::sqrt(spread);
      for (std::size_t i = 0; i < size; ++i)
        numbers_.weights[o * size + i] = static_cast<float>(numbers_.weights[o * size + i] * factor);
      numbers_.bias[o] =
          static_cast<float>((static_cast<double>(numbers_.bias[o]) - mean[o] * part) * factor + shift[o]);
    }
    check_finite(file_, "the batch norm after " + layer_.name, numbers_.weights);
    check_finite(file_, "the batch norm after " + layer_.name, numbers_.bias);
  }

  const std::string& file_;
  const TensorSource& source_;
  const LayerTensors& tensors_;
  const NetworkLayer& layer_;
  ConvolutionWeights numbers_;
};

}  // namespace

ConvolutionWeights read_layer(const std::string& file, const TensorSource& source,
                              const LayerTensors& tensors) {
  return LayerReader(file, source, tensors).run();
}

void change_input(ConvolutionWeights& numbers, const NetworkLayer& layer, const InputConvention& from,
                  const InputConvention& to) {
  const auto factors = exact_change(from, to);
  if (!factors || layer.in_channels != 3) return;
  const auto area = static_cast<std::size_t>(layer.kernel) * static_cast<std::size_t>(layer.kernel);
  const std::vector<float> old = numbers.weights;
  for (std::size_t o = 0; o < numbers.bias.size(); ++o)
    for (std::size_t c = 0; c < 3; ++c) {  // red, green, blue
      const std::size_t there = (o * 3 + (from.order == ChannelOrder::rgb ? c : 2 - c)) * area;
      const std::size_t here = (o * 3 + (to.order == ChannelOrder::rgb ? c : 2 - c)) * area;
      for (std::size_t p = 0; p < area; ++p)
        numbers.weights[here + p] = static_cast<float>(old[there + p] * (*factors)[c]);
    }
}

}  // namespace gramflow
