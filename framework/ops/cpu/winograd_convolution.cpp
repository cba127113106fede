// Tiles of the result are numbered row by row and cut into blocks. A block transforms its windows once (36
// matrices of tiles x channels), then goes through the channels it makes in chunks: 36 products with a chunk
// of the packed weights, and the inverse transform with everything that is fused. A tile's numbers do not
// depend on the block it is in, so the size of blocks is free: as large as a share of fixed memory allows
// (the weights are read once a block), and a multiple of the product's rows; small pictures are cut so that
// every worker gets the same number of blocks.
//
// Backward is the same with the flipped and transposed filter, on a gradient with a border of zeros; another
// border's share is added by BorderGradient.
#include "framework/ops/cpu/winograd_convolution.h"

#include <algorithm>

#include "framework/ops/cpu/blocks.h"
#include "framework/ops/cpu/border_gradient.h"
#include "framework/ops/cpu/winograd_kernels.h"

namespace gramflow::cpu {

namespace {

constexpr std::size_t scratch_budget = std::size_t{24} << 20;  ///< of all workers together
constexpr std::int64_t tile_group = 42;                        ///< a multiple of the products' 6 rows
constexpr std::size_t chunk_channels = 64;                     ///< whole panels

/// How the blocks of one direction are cut and where a worker's memory lies.
struct BlockPlan {
  BlockPlan(Shape result, std::size_t depth, std::size_t made, int workers)
      : chunk(std::min(chunk_channels, padded_channels(made))) {
    const std::int64_t tiles = tile_count(result);
    const std::size_t depth_stride = spread_stride(depth);
    const std::size_t chunk_stride = spread_stride(chunk);
    const std::size_t tile_bytes = winograd_positions * (depth_stride + chunk_stride) * sizeof(float);
    const std::size_t budget =
        std::min(scratch_budget / static_cast<std::size_t>(workers), worker_budget(depth));
    const std::int64_t most =
        std::max<std::int64_t>(tile_group, static_cast<std::int64_t>(budget / tile_bytes));
    count = divide_up(divide_up(tiles, most), workers) * workers;
    tiles_per_block = divide_up(divide_up(tiles, count), 6) * 6;
    count = divide_up(tiles, tiles_per_block);
    const std::size_t block = static_cast<std::size_t>(tiles_per_block);
    transformed = {nullptr, depth_stride, spread_stride(block * depth_stride)};
    products = {nullptr, chunk_stride, spread_stride(block * chunk_stride)};
    transformed_bytes = winograd_positions * transformed.position_stride * sizeof(float);
    worker_bytes = transformed_bytes + winograd_positions * products.position_stride * sizeof(float);
  }
  /// Few channels: everything stays in the second-level cache. Many: reading the weights less often matters
  /// more.
  static std::size_t worker_budget(std::size_t depth) { return depth * (std::size_t{24} << 10); }

  std::size_t chunk;
  std::int64_t count, tiles_per_block;
  TransformedBlock transformed, products;
  std::size_t transformed_bytes, worker_bytes;
};

BlockPlan forward_plan(const Filter& f, Shape input) {
  return BlockPlan(input, static_cast<std::size_t>(f.in_channels), static_cast<std::size_t>(f.out_channels),
                   worker_limit());
}
BlockPlan backward_plan(const Filter& f, Shape input) {
  return BlockPlan(input, static_cast<std::size_t>(f.out_channels), static_cast<std::size_t>(f.in_channels),
                   worker_limit());
}

class WinogradFilter final : public PackedFilter {
 public:
  WinogradFilter(const Filter& filter, bool backward)
      : PackedFilter(filter, backward),
        bias(filter.bias, filter.bias + filter.out_channels),
        zeros(static_cast<std::size_t>(std::max(filter.in_channels, filter.out_channels))),
        forward(winograd_packed_floats(filter, false)) {
    winograd_pack(filter, false, forward.data());
    if (!backward) return;
    backward_weights.resize(winograd_packed_floats(filter, true));
    winograd_pack(filter, true, backward_weights.data());
    if (filter.border != Border::zero) border = std::make_unique<BorderGradient>(filter);
  }
  std::unique_ptr<Convolution> prepare(std::shared_ptr<const PackedFilter> self, Shape input) const override;

  std::vector<float> bias, zeros, forward, backward_weights;
  std::unique_ptr<BorderGradient> border;
};

class WinogradConvolution final : public Convolution {
 public:
  WinogradConvolution(std::shared_ptr<const PackedFilter> owner, const WinogradFilter& filter, Shape input)
      : owner_(std::move(owner)),
        packed_(filter),
        input_(input),
        output_(convolved_shape(filter.filter(), input)),
        forward_(forward_plan(filter.filter(), input)),
        backward_(backward_plan(filter.filter(), input)),
        scratch_(winograd_scratch(filter.filter(), input)) {}

  std::size_t scratch_bytes() const override { return scratch_; }

  void forward(const float* input, const ConvolutionOutputs& outputs, void* scratch) const override {
    const TileSource source{input, nullptr, nullptr, packed_.filter().border, packed_.zeros.data()};
    run(forward_, source, input_, packed_.forward.data(), output_, scratch,
        [&](const TransformedBlock& products, const TileRange& tiles, ChannelRange channels) {
          winograd_finish_forward(products, tiles, channels, packed_.bias.data(), outputs);
        });
  }

  void backward(const ConvolutionGradient& gradient, void* scratch) const override {
    const TileSource source{gradient.gradient, gradient.gradient ? nullptr : gradient.pooled_gradient,
                            gradient.index, Border::zero, packed_.zeros.data()};
    run(backward_, source, output_, packed_.backward_weights.data(), input_, scratch,
        [&](const TransformedBlock& products, const TileRange& tiles, ChannelRange channels) {
          winograd_finish_backward(products, tiles, channels, gradient);
        });
    if (packed_.border) packed_.border->add(gradient, input_, static_cast<float*>(scratch));
  }

 private:
  /// `finish` is called for every chunk of a block's results.
  template <class Finish>
  void run(const BlockPlan& plan, const TileSource& source, Shape from, const float* weights, Shape to,
           void* scratch, Finish&& finish) const {
    const std::int64_t tiles = tile_count(to);
    const std::size_t depth = static_cast<std::size_t>(from.channels);
    const std::size_t made = static_cast<std::size_t>(to.channels);
    parallel_for(plan.count, [&](std::int64_t block, int worker) {
      const std::int64_t begin = block * plan.tiles_per_block;
      const std::int64_t end = std::min(tiles, begin + plan.tiles_per_block);
      std::byte* memory =
          static_cast<std::byte*>(scratch) + plan.worker_bytes * static_cast<std::size_t>(worker);
      TransformedBlock transformed = plan.transformed;
      TransformedBlock products = plan.products;
      transformed.values = reinterpret_cast<float*>(memory);
      products.values = reinterpret_cast<float*>(memory + plan.transformed_bytes);
      winograd_transform_source(source, {from, begin, end}, transformed);
      for (std::size_t first = 0; first < made; first += plan.chunk) {
        const std::size_t count = std::min(plan.chunk, made - first);
        for (std::size_t panel = first; panel < first + count; panel += winograd_panel) {
          TransformedBlock part = products;
          part.values += panel - first;
          winograd_multiply(transformed, weights + winograd_positions * depth * panel,
                            static_cast<std::size_t>(end - begin), depth, panel_width(made, panel), part);
        }
        finish(products, TileRange{to, begin, end}, ChannelRange{first, count});
      }
    });
  }

  std::shared_ptr<const PackedFilter> owner_;
  const WinogradFilter& packed_;
  Shape input_, output_;
  BlockPlan forward_, backward_;
  std::size_t scratch_;
};

std::unique_ptr<Convolution> WinogradFilter::prepare(std::shared_ptr<const PackedFilter> self,
                                                     Shape input) const {
  return std::make_unique<WinogradConvolution>(std::move(self), *this, input);
}

}  // namespace

std::shared_ptr<const PackedFilter> pack_winograd(const Filter& filter, bool backward) {
  return std::make_shared<WinogradFilter>(filter, backward);
}

std::size_t winograd_packed_bytes(const Filter& filter, bool backward) {
  std::size_t floats = winograd_packed_floats(filter, false) + static_cast<std::size_t>(filter.out_channels) +
                       static_cast<std::size_t>(std::max(filter.in_channels, filter.out_channels));
  if (backward) floats += winograd_packed_floats(filter, true);
  const bool border = backward && filter.border != Border::zero;
  return floats * sizeof(float) + (border ? BorderGradient::weight_bytes(filter) : 0);
}

std::size_t winograd_scratch(const Filter& filter, Shape input) {
  const std::size_t one =
      std::max({forward_plan(filter, input).worker_bytes, backward_plan(filter, input).worker_bytes,
                align_up(BorderGradient::worker_floats(filter) * sizeof(float))});
  return one * static_cast<std::size_t>(worker_limit());
}

}  // namespace gramflow::cpu
