#pragma once
// The nearest-neighbour style loss of one layer: how far features are from the most alike features of the
// target, wherever those are. Where a Gram matrix asks for the right mixture, this asks that every feature
// stands somewhere in the target.
//
//   X   rows of the canvas map at every d-th position, d = max(1, longest side / grid), from a random offset
//   Y   rows of each target map in the same way, stacked
//   u_i = (X_i - mean X) / max(|X_i - mean X|, 1e-4), v_j likewise with the mean of Y
//   j(i) = argmax_j <u_i, v_j>, the lowest of equals; a constant for the gradient
//   E   = weight * (1 - mean_i <u_i, v_j(i)>)
//   g_i = -weight (v_j(i) - <u_i, v_j(i)> u_i) / (N |X_i - mean X|); dE/dX_i = g_i - mean_k g_k
//
// (Kolkin et al., "Neural Neighbor Style Transfer", 2022, its feature splitting phase; here beside Gram
// losses.) Offsets are a hash of seed, layer, map and iteration: no state, the same bits for every run.
#include <cstdint>
#include <functional>
#include <vector>

#include "framework/ops/lattice.h"
#include "framework/ops/op.h"

namespace gramflow {

/// Where the sampled positions come from.
struct NeighborSampling {
  std::int64_t grid = 32;  ///< longest sides are cut into that many steps, at least
  std::uint64_t seed = 0;
  std::uint64_t layer = 0;  ///< tells layers apart: name_counter() of its name
  std::int64_t every = 1;   ///< iterations that share their positions
  /// The iteration of the run, asked in every run(). Empty: positions stand still.
  std::function<std::int64_t()> iteration;

  /// `map` is 0 for the canvas, 1.. for the targets.
  Lattice lattice(Shape shape, std::uint64_t map) const;
};

/// The most positions that are sampled of the canvas's map and of the targets'.
NeighborSizes neighbor_sizes(std::span<const TensorDesc> maps, std::int64_t grid);

/// features, features of target 1, 2, .. -> loss (f64 scalar, weighted), its gradient at the sampled
/// positions
class NeighborLoss final : public Op {
 public:
  enum Output { loss, gradient_rows };
  NeighborLoss(double weight, NeighborSampling sampling) : weight_(weight), sampling_(std::move(sampling)) {}
  double weight() const { return weight_; }
  const NeighborSampling& sampling() const { return sampling_; }
  std::string_view kind() const override { return "NeighborLoss"; }
  std::string attributes() const override;
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;
  /// Of the features only; the targets must not depend on the canvas.
  void gradient(GradientBuilder& builder) const override;

 private:
  double weight_;
  NeighborSampling sampling_;
};

/// gradient rows, accumulator -> gradient of the features. Finds the same positions again.
class NeighborLossBackward final : public Op {
 public:
  enum Input { gradient_rows, accumulator_input };
  NeighborLossBackward(NeighborSampling sampling, Shape features)
      : sampling_(std::move(sampling)), features_(features) {}
  const NeighborSampling& sampling() const { return sampling_; }
  std::string_view kind() const override { return "NeighborLossBackward"; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const override;
  int accumulator() const override { return accumulator_input; }

 private:
  NeighborSampling sampling_;
  Shape features_;
};

}  // namespace gramflow
