#pragma once
// y[c] = x[source[c]] * factor[c] + offset[c] for pictures of three channels: from pictures to a network's
// numbers and back. dL/dx[source[c]] = dL/dy[c] * factor[c]. Values are not clamped.
#include <array>

#include "framework/ops/op.h"

namespace gramflow {

/// `source` is a permutation of 0, 1, 2.
struct ChannelMap {
  std::array<int, 3> source = {0, 1, 2};
  std::array<float, 3> factor = {1, 1, 1};
  std::array<float, 3> offset = {0, 0, 0};
  bool operator==(const ChannelMap&) const = default;
};

/// x -> y
class ChannelAffine final : public Op {
 public:
  explicit ChannelAffine(const ChannelMap& map) : map_(map) {}
  const ChannelMap& map() const { return map_; }
  std::string_view kind() const override { return "ChannelAffine"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int overwritable() const override { return 0; }
  void gradient(GradientBuilder& builder) const override;

 private:
  ChannelMap map_;
};

/// gradient of y, accumulator -> gradient of x
class ChannelAffineBackward final : public Op {
 public:
  enum Input { gradient_of_output, accumulator_input };
  explicit ChannelAffineBackward(const ChannelMap& forward);
  /// From gradients of y to gradients of x.
  const ChannelMap& transposed() const { return transposed_; }
  std::string_view kind() const override { return "ChannelAffineBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }
  int overwritable() const override { return gradient_of_output; }

 private:
  ChannelMap transposed_;
};

}  // namespace gramflow
