#include "framework/ops/neighbor_loss.h"

#include <fmt/format.h>

#include "framework/ops/counter_random.h"

namespace gramflow {

NeighborSizes neighbor_sizes(std::span<const TensorDesc> maps, std::int64_t grid) {
  NeighborSizes sizes;
  sizes.channels = maps[0].shape.channels;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const Shape& map = maps[i].shape;
    const std::int64_t most = largest_lattice(map, lattice_stride(map, grid)).pixels();
    (i == 0 ? sizes.canvas : sizes.targets) += most;
  }
  return sizes;
}

Lattice NeighborSampling::lattice(Shape shape, std::uint64_t map) const {
  const auto draw = static_cast<std::uint64_t>(iteration ? iteration() / every : 0);
  const std::int64_t stride = lattice_stride(shape, grid);
  // A map narrower than the stride has fewer columns to begin at.
  const auto offset = [&](std::int64_t side, std::uint64_t axis) {
    return counter_random_below(std::min(stride, side), seed, {layer, draw, map, axis});
  };
  return {stride, offset(shape.height, 0), offset(shape.width, 1)};
}

std::string NeighborLoss::attributes() const {
  return fmt::format("weight {}, grid {}", weight_, sampling_.grid);
}

std::vector<TensorDesc> NeighborLoss::infer(std::span<const TensorDesc> inputs) const {
  const Shape& canvas = inputs[0].shape;
  for (const TensorDesc& target : inputs.subspan(1))
    if (target.shape.channels != canvas.channels)
      throw ShapeError(fmt::format("it compares {} channels with {}; both must come from the same network",
                                   canvas.channels, target.shape.channels));
  return {{Shape{1, 1, 1}, ElementType::f64},
          {largest_lattice(canvas, lattice_stride(canvas, sampling_.grid)), ElementType::f32}};
}

Cost NeighborLoss::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  const NeighborSizes sizes = neighbor_sizes(inputs, sampling_.grid);
  Cost cost = Op::cost({}, outputs);  // of the maps only the sampled positions are read
  const auto rows = static_cast<double>(sizes.canvas + sizes.targets);
  cost.bytes += rows * static_cast<double>(sizes.channels) * sizeof(float);
  cost.flops = 2 * static_cast<double>(sizes.canvas) * static_cast<double>(sizes.targets) *
               static_cast<double>(sizes.channels);
  return cost;
}

void NeighborLoss::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0,
                     std::make_shared<NeighborLossBackward>(sampling_, builder.desc(builder.input(0)).shape),
                     {builder.output(gradient_rows), no_tensor}, GradientBuilder::Route::side);
}

std::vector<TensorDesc> NeighborLossBackward::infer(std::span<const TensorDesc>) const {
  return {{features_, ElementType::f32}};
}

}  // namespace gramflow
