#pragma once
// A copy of a tensor on the other side: from the host to the device, or back. Put in by insert_transfers();
// whoever prepares a plan makes its kernel from the device's copies.
#include "framework/ops/op.h"

namespace gramflow {

/// tensor -> the same
class Transfer final : public Op {
 public:
  enum class Direction { upload, download };
  explicit Transfer(Direction direction) : direction_(direction) {}
  Direction direction() const { return direction_; }
  std::string_view kind() const override { return direction_ == Direction::upload ? "Upload" : "Download"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override { return {inputs[0]}; }

 private:
  Direction direction_;
};

}  // namespace gramflow
