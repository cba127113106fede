#include "framework/ops/neighbor_loss.h"

#include <fmt/format.h>

#include "framework/ops/counter_random.h"

namespace gramflow {
namespace {

cpu::NeighborSizes sizes_of(std::span<const TensorDesc> inputs, std::int64_t grid) {
  cpu::NeighborSizes sizes;
  sizes.channels = inputs[0].shape.channels;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& map = inputs[i].shape;
    const std::int64_t most = cpu::largest_lattice(map, cpu::lattice_stride(map, grid)).pixels();
    (i == 0 ? sizes.canvas : sizes.targets) += most;
  }
  return sizes;
}

}  // namespace

cpu::Lattice NeighborSampling::lattice(Shape shape, std::uint64_t map) const {
  const auto draw = static_cast<std::uint64_t>(iteration ? iteration() / every : 0);
  const std::int64_t stride = cpu::lattice_stride(shape, grid);
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
          {cpu::largest_lattice(canvas, cpu::lattice_stride(canvas, sampling_.grid)), ElementType::f32}};
}

Cost NeighborLoss::cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const {
  const cpu::NeighborSizes sizes = sizes_of(inputs, sampling_.grid);
  Cost cost = Op::cost({}, outputs);  // of the maps only the sampled positions are read
  const auto rows = static_cast<double>(sizes.canvas + sizes.targets);
  cost.bytes += rows * static_cast<double>(sizes.channels) * sizeof(float);
  cost.flops = 2 * static_cast<double>(sizes.canvas) * static_cast<double>(sizes.targets) *
               static_cast<double>(sizes.channels);
  return cost;
}

std::size_t NeighborLoss::scratch_bytes(std::span<const TensorDesc> inputs) const {
  return cpu::neighbor_scratch(sizes_of(inputs, sampling_.grid));
}

void NeighborLoss::gradient(GradientBuilder& builder) const {
  if (!builder.wanted(0)) return;
  builder.contribute(0,
                     std::make_shared<NeighborLossBackward>(sampling_, builder.desc(builder.input(0)).shape),
                     {builder.output(gradient_rows), no_tensor}, GradientBuilder::Route::side);
}

std::unique_ptr<Kernel> NeighborLoss::prepare(const Bindings& memory) const {
  std::vector<TensorDesc> descs;
  std::vector<cpu::SampledMap> maps;
  for (const TensorView& input : memory.inputs) {
    descs.push_back(input.desc);
    maps.push_back({input, {}});
  }
  return make_kernel([weight = weight_, sampling = sampling_, sizes = sizes_of(descs, sampling_.grid), maps,
                      result = memory.outputs[loss].f64(), rows = memory.outputs[gradient_rows].f32(),
                      scratch = memory.scratch]() mutable {
    for (std::size_t i = 0; i < maps.size(); ++i) maps[i].lattice = sampling.lattice(maps[i].map.shape(), i);
    *result = cpu::neighbor_loss(maps[0], std::span(maps).subspan(1), sizes, weight, rows, scratch);
  });
}

std::vector<TensorDesc> NeighborLossBackward::infer(std::span<const TensorDesc>) const {
  return {{features_, ElementType::f32}};
}

std::unique_ptr<Kernel> NeighborLossBackward::prepare(const Bindings& memory) const {
  return make_kernel([sampling = sampling_, rows = memory.inputs[gradient_rows].f32(),
                      result = memory.outputs[0],
                      accumulate = static_cast<bool>(memory.inputs[accumulator_input])] {
    cpu::scatter_rows(rows, sampling.lattice(result.shape(), 0), result, accumulate);
  });
}

}  // namespace gramflow
