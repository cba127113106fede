// Two conventions are affine in each channel, so from one to the other is value * factor + shift, and a
// convolution swallows both: the factor into its weights, the shift (times the sum of the weights it meets)
// into its bias. At the border that is exact when the border repeats pixels of the picture; zeros would have
// to be shifted, too, so network files with zero padding are refused. ReLU and pooling keep positive factors,
// so a layer whose outputs grew is undone by the convolution after it.
#include "nodes/networks/fold_weights.h"

namespace gramflow {
namespace {

void fold_input(const NetworkLayer& layer, const ConventionChange& change, ConvolutionWeights& numbers) {
  const InputConvention& from = change.network;
  const InputConvention& to = change.weights;
  const auto area = static_cast<std::size_t>(layer.kernel) * static_cast<std::size_t>(layer.kernel);
  ConvolutionWeights folded = numbers;
  for (std::size_t o = 0; o < numbers.bias.size(); ++o) {
    double bias = numbers.bias[o];
    for (std::size_t c = 0; c < 3; ++c) {  // red, green, blue
      const double factor = from.std[c] * to.scale / (from.scale * to.std[c]);
      const double shift = (from.mean[c] / from.scale * to.scale - to.mean[c]) / to.std[c];
      const std::size_t old_channel = (o * 3 + (to.order == ChannelOrder::rgb ? c : 2 - c)) * area;
      const std::size_t new_channel = (o * 3 + (from.order == ChannelOrder::rgb ? c : 2 - c)) * area;
      for (std::size_t p = 0; p < area; ++p) {
        const double weight = numbers.weights[old_channel + p];
        folded.weights[new_channel + p] = static_cast<float>(weight * factor);
        bias += weight * shift;
      }
    }
    folded.bias[o] = static_cast<float>(bias);
  }
  numbers = std::move(folded);
}

}  // namespace

void fold_weights(const NetworkLayer& layer, ConvolutionWeights& numbers) {
  if (layer.input_change) fold_input(layer, *layer.input_change, numbers);
  for (float& value : numbers.weights) value = static_cast<float>(value * (layer.gain / layer.gain_before));
  for (float& value : numbers.bias) value = static_cast<float>(value * layer.gain);
}

}  // namespace gramflow
