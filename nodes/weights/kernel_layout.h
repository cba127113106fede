#pragma once
// In what order the numbers of a convolution's kernel lie in a file. A shape cannot tell: 3x3x3x3 fits all of
// them.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gramflow {

struct KernelLayout {
  /// The four dimensions from the slowest to the fastest: o(ut), i(n), h(eight), w(idth). "oihw": PyTorch,
  /// Caffe, ONNX; "hwio": Keras, TensorFlow, Flax.
  std::string axes = "oihw";
  /// By 180 degrees in the plane, as Theano's, whose convolution is the mathematical one.
  bool turned = false;
  bool operator==(const KernelLayout&) const = default;
};

/// "hwio", "oihw-turned".
std::string layout_text(const KernelLayout& layout);
/// nullopt unless it is four different letters of o, i, h, w, perhaps with "-turned" behind.
std::optional<KernelLayout> parse_layout(const std::string& text);

/// The sides of a kernel in that order.
std::vector<std::int64_t> layout_shape(const KernelLayout& layout, std::int64_t out, std::int64_t in,
                                       std::int64_t side);
/// `numbers` of such a kernel as OIHW, not turned.
std::vector<float> to_oihw(std::vector<float> numbers, const KernelLayout& layout, std::int64_t out,
                           std::int64_t in, std::int64_t side);

}  // namespace gramflow
