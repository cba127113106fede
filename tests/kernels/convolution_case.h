#pragma once
// Runs one convolution with memory around it, for tests of either realisation.
#include "tests/support/reference.h"

namespace gramflow::test {

struct ForwardResult {
  std::vector<float> output, pooled;
  std::vector<std::uint8_t> mask, index;
  bool scratch_intact = true;
};

/// What to fuse to a forward convolution.
struct Fusion {
  bool output = true, relu = false, mask = false, pooled = false, index = false;
};

inline Shape output_shape(const cpu::Filter& f, Shape input) {
  const std::int64_t change = 2 * f.padding - f.kernel + 1;
  return {input.height + change, input.width + change, f.out_channels};
}
inline Shape pooled_shape(Shape s) { return {s.height / 2, s.width / 2, s.channels}; }

inline ForwardResult run_forward(const cpu::Filter& filter, cpu::ConvolutionMethod method, const Image& input,
                                 Fusion fusion) {
  const auto convolution = cpu::make_convolution(cpu::pack_filter(filter, method, false), input.shape);
  Scratch scratch(convolution->scratch_bytes());
  const Shape out = output_shape(filter, input.shape);
  const Shape small = pooled_shape(out);
  const float poison = std::numeric_limits<float>::quiet_NaN();
  ForwardResult result;
  cpu::ConvolutionOutputs to;
  to.relu = fusion.relu;
  if (fusion.output)
    result.output.assign(static_cast<std::size_t>(out.elements()), poison), to.output = result.output.data();
  if (fusion.mask) {
    result.mask.assign(static_cast<std::size_t>(out.pixels() * ((out.channels + 7) / 8)), 0xAA);
    to.mask = result.mask.data();
  }
  if (fusion.pooled)
    result.pooled.assign(static_cast<std::size_t>(small.elements()), poison),
        to.pooled = result.pooled.data();
  if (fusion.index)
    result.index.assign(static_cast<std::size_t>(small.elements()), 77), to.index = result.index.data();
  convolution->forward(input.values.data(), to, scratch.data());
  result.scratch_intact = scratch.intact();
  return result;
}

/// The gradient is given whole, or as a pooled one with its index; `start` is accumulated to when not empty.
struct BackwardInput {
  std::vector<float> gradient, pooled_gradient, start;
  std::vector<std::uint8_t> index, mask;
};

inline std::vector<float> run_backward(const cpu::Filter& filter, cpu::ConvolutionMethod method, Shape input,
                                       const BackwardInput& from) {
  const auto convolution = cpu::make_convolution(cpu::pack_filter(filter, method, true), input);
  Scratch scratch(convolution->scratch_bytes());
  std::vector<float> result = from.start;
  if (result.empty())
    result.assign(static_cast<std::size_t>(input.elements()), std::numeric_limits<float>::quiet_NaN());
  cpu::ConvolutionGradient gradient;
  gradient.gradient = from.gradient.empty() ? nullptr : from.gradient.data();
  gradient.pooled_gradient = from.gradient.empty() ? from.pooled_gradient.data() : nullptr;
  gradient.index = from.gradient.empty() ? from.index.data() : nullptr;
  gradient.result = result.data();
  gradient.accumulate = !from.start.empty();
  gradient.mask = from.mask.empty() ? nullptr : from.mask.data();
  convolution->backward(gradient, scratch.data());
  if (!scratch.intact()) result.clear();
  return result;
}

/// The H x W gradient that a pooled gradient and its index stand for.
inline std::vector<float> spread(const BackwardInput& from, Shape out) {
  const Shape small = pooled_shape(out);
  std::vector<float> whole(static_cast<std::size_t>(out.elements()));
  for (std::int64_t y = 0; y < small.height; ++y)
    for (std::int64_t x = 0; x < small.width; ++x)
      for (std::int64_t c = 0; c < out.channels; ++c) {
        const std::size_t at = static_cast<std::size_t>((y * small.width + x) * out.channels + c);
        if (from.index[at] > 3) continue;
        const std::int64_t to_y = 2 * y + from.index[at] / 2;
        const std::int64_t to_x = 2 * x + from.index[at] % 2;
        whole[static_cast<std::size_t>((to_y * out.width + to_x) * out.channels + c)] =
            from.pooled_gradient[at];
      }
  return whole;
}

}  // namespace gramflow::test
