#pragma once
// The passes between a lowered Program and a Plan, in this order. Each is a free function in a file of its
// own name.
#include <stdexcept>

#include "framework/devices/devices.h"
#include "framework/ops/program.h"

namespace gramflow {

/// An operation between a canvas and a loss that has no gradient.
class NoGradient : public std::runtime_error {
 public:
  explicit NoGradient(const Operation& operation);
  const Origin& origin() const { return origin_; }

 private:
  Origin origin_;
};

/// Reverse-mode differentiation: appends to each loop the operations that compute the gradient of the sum of
/// its losses with respect to its canvas, and sets the loop's gradient. A loop without losses is left alone.
/// Throws NoGradient, and std::logic_error when no loss depends on the canvas.
void differentiate(Program& program);

/// Drops operations without an effect whose results nobody reads, and the optional outputs that nobody reads
/// (masks and pooling indices in front of everything).
void eliminate(Program& program);

/// Decides which side runs each operation. Throws std::logic_error for an op that nobody runs.
void place(Program& program, const Devices& devices);

/// Merges neighbours into one pass over memory: Convolution + Relu + max Pool going forward; ReluBackward
/// into the ConvolutionBackward before it, PoolBackward + ReluBackward into the one after it. Only what
/// the device runs fused. Results differ in no bit.
void fuse(Program& program, const Devices& devices);

/// Makes large tensors of the first layers a second time for going back, where that is cheap, instead of
/// keeping them. Results differ in no bit.
void rematerialise(Program& program);

/// Puts copies between what one side makes and the other reads.
void insert_transfers(Program& program);

/// Moves every operation as early as its section and its inputs allow when that lets big tensors die sooner
/// (a Gram right after its tap). Any order gives the same bits.
void schedule(Program& program);

/// How many operations read each tensor; starts, gradients and losses count as read once more.
std::vector<int> count_readers(const Program& program);

}  // namespace gramflow
