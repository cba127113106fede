// Tiles of the result are numbered row by row and cut into blocks. A block transforms its windows once (36
// matrices of tiles x channels), then goes through the channels it makes in chunks: 36 products with a chunk
// of the packed weights, and the inverse transform with everything that is fused. A tile's numbers do not
// depend on the block it is in, so the size of blocks is free: as large as a share of fixed memory allows
// (the weights are read once a block), and a multiple of the product's rows; small pictures are cut so that
// every worker gets the same number of blocks.
//
// Backward is the same with the flipped and transposed filter, on a gradient with a border of zeros; another
// border's share is added by BorderGradient.
//
// Transformed weights are four times the filter's. Those of small filters are kept, one copy a direction; of
// large ones the taps are, and every run transforms them into scratch memory first: memory that the plan
// shares with whatever else is needed only for a while.
#include "framework/devices/cpu/convolution/winograd_convolution.h"

#include <algorithm>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/border_gradient.h"
#include "framework/devices/cpu/cache_sizes.h"
#include "framework/devices/cpu/convolution/winograd_kernels.h"
#include "framework/devices/cpu/large_memory.h"

namespace gramflow::cpu {

namespace {

constexpr std::size_t scratch_budget = std::size_t{28} << 20;  ///< of all workers together
constexpr std::int64_t row_group = 6;                          ///< rows of the products' tiles

constexpr std::size_t kept_weights = std::size_t{4}
                                     << 20;  ///< bytes of transformed weights; more are made anew

/// Whether the transformed weights are kept, rather than made in every run.
bool kept(const Filter& filter) { return transformed_floats(filter, false) * sizeof(float) < kept_weights; }

/// How the blocks of one direction are cut and where a worker's memory lies.
struct BlockPlan {
  BlockPlan(Shape result, int channels_read, int channels_made) {
    const std::int64_t workers = worker_limit();
    const std::size_t depth = static_cast<std::size_t>(channels_read);
    chunk = std::min(winograd_panel, padded_channels(static_cast<std::size_t>(channels_made)));
    transformed.tile_stride = spread_stride(depth);
    products.tile_stride = spread_stride(chunk);
    const std::size_t tile_bytes =
        winograd_positions * (transformed.tile_stride + products.tile_stride) * sizeof(float);
    const std::size_t budget = scratch_budget / static_cast<std::size_t>(workers) / tile_bytes;
    const std::int64_t most = std::min(wanted_tiles(depth, channels_made), static_cast<std::int64_t>(budget));
    const std::int64_t tiles = tile_count(result);
    const std::int64_t even = divide_up(divide_up(tiles, std::max(most, row_group)), workers) * workers;
    tiles_per_block = divide_up(divide_up(tiles, even), row_group) * row_group;
    count = divide_up(tiles, tiles_per_block);
    const std::size_t block = static_cast<std::size_t>(tiles_per_block);
    transformed.position_stride = spread_stride(block * transformed.tile_stride);
    products.position_stride = spread_stride(block * products.tile_stride);
    products_at = winograd_positions * transformed.position_stride;
    worker_bytes = align_up((products_at + winograd_positions * products.position_stride) * sizeof(float));
  }

  /// Small blocks keep their transformed values in the second-level cache, which wins as long as the weights,
  /// read once a block, come from the third.
  static std::int64_t wanted_tiles(std::size_t depth, int channels_made) {
    const CacheSizes caches = cache_sizes();
    const std::size_t weights =
        winograd_positions * depth * static_cast<std::size_t>(channels_made) * sizeof(float);
    if (weights >= caches.third_level / 2) return 84;
    const std::size_t fitting = caches.second_level / 2 / (winograd_positions * depth * sizeof(float));
    return std::clamp(static_cast<std::int64_t>(fitting) / row_group * row_group, row_group, 2 * row_group);
  }

  std::size_t chunk;  ///< channels whose products are finished together
  std::int64_t count, tiles_per_block;
  TransformedBlock transformed{}, products{};  ///< strides; a worker's values are set per block
  std::size_t products_at;                     ///< floats from the start of a worker's memory
  std::size_t worker_bytes;
};

BlockPlan forward_plan(const Filter& f, Shape input) {
  return BlockPlan(input, f.in_channels, f.out_channels);
}
BlockPlan backward_plan(const Filter& f, Shape input) {
  return BlockPlan(input, f.out_channels, f.in_channels);
}

/// Scratch memory of all workers; a run's transformed weights stand behind it.
std::size_t workers_bytes(const Filter& filter, Shape input) {
  const std::size_t one =
      std::max({forward_plan(filter, input).worker_bytes, backward_plan(filter, input).worker_bytes,
                align_up(BorderGradient::worker_floats(filter) * sizeof(float))});
  return one * static_cast<std::size_t>(worker_limit());
}

class WinogradFilter final : public PackedFilter {
 public:
  WinogradFilter(const Filter& filter, bool backward)
      : PackedFilter(filter, backward),
        bias(filter.bias, filter.bias + filter.out_channels),
        zeros(static_cast<std::size_t>(std::max(filter.in_channels, filter.out_channels))),
        taps_(tap_floats(depth(filter.in_channels), depth(filter.out_channels))) {
    arrange_taps(filter, taps_.data());
    if (backward && filter.border != Border::zero) border = std::make_unique<BorderGradient>(filter);
    if (!kept(filter)) return;
    forward_ = transformed(false);
    if (backward) backward_ = transformed(true);
    taps_ = {};
  }
  std::unique_ptr<Convolution> prepare(std::shared_ptr<const PackedFilter> self, Shape input) const override;

  /// The transformed weights of a direction: those that are kept, or else made in `scratch`.
  const float* weights(bool backward, float* scratch) const {
    if (taps_.empty()) return (backward ? backward_ : forward_).data();
    winograd_transform_weights(taps(), backward, scratch);
    return scratch;
  }

  std::vector<float> bias, zeros;
  std::unique_ptr<BorderGradient> border;

 private:
  static std::size_t depth(int channels) { return static_cast<std::size_t>(channels); }
  FilterTaps taps() const {
    return {taps_.data(), depth(filter().in_channels), depth(filter().out_channels)};
  }
  LargeMemory transformed(bool backward) const {
    LargeMemory weights(transformed_floats(filter(), backward));
    winograd_transform_weights(taps(), backward, weights.data());
    return weights;
  }

  LargeMemory taps_;  ///< empty when transformed weights are kept
  LargeMemory forward_, backward_;
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
        weights_at_(workers_bytes(filter.filter(), input)),
        scratch_(winograd_scratch(filter.filter(), input)) {}

  std::size_t scratch_bytes() const override { return scratch_; }

  void forward(const float* input, const ConvolutionOutputs& outputs, void* scratch) const override {
    const TileSource source{input, nullptr, nullptr, packed_.filter().border, packed_.zeros.data()};
    const float* weights = packed_.weights(false, weights_in(scratch));
    run(
        forward_, source, input_, output_, scratch,
        [&](const TransformedBlock& transformed, std::size_t tiles, std::size_t first, std::size_t width,
            const TransformedBlock& products) {
          winograd_multiply(transformed, weights + winograd_positions * depth(input_) * first, tiles,
                            depth(input_), width, products);
        },
        [&](const TransformedBlock& products, const TileRange& tiles, ChannelRange channels) {
          winograd_finish_forward(products, tiles, channels, packed_.bias.data(), outputs);
        });
  }

  void backward(const ConvolutionGradient& gradient, void* scratch) const override {
    const TileSource source{gradient.gradient, gradient.gradient ? nullptr : gradient.pooled_gradient,
                            gradient.index, Border::zero, packed_.zeros.data()};
    const float* weights = packed_.weights(true, weights_in(scratch));
    run(
        backward_, source, output_, input_, scratch,
        [&](const TransformedBlock& transformed, std::size_t tiles, std::size_t first, std::size_t width,
            const TransformedBlock& products) {
          winograd_multiply(transformed, weights + winograd_positions * depth(output_) * first, tiles,
                            depth(output_), width, products);
        },
        [&](const TransformedBlock& products, const TileRange& tiles, ChannelRange channels) {
          winograd_finish_backward(products, tiles, channels, gradient);
        });
    if (packed_.border) packed_.border->add(gradient, input_, static_cast<float*>(scratch));
  }

 private:
  static std::size_t depth(Shape shape) { return static_cast<std::size_t>(shape.channels); }
  float* weights_in(void* scratch) const {
    return static_cast<float*>(scratch) + weights_at_ / sizeof(float);
  }

  /// For every block, transforms, then calls multiply and finish for every chunk of the channels made.
  template <class Multiply, class Finish>
  void run(const BlockPlan& plan, const TileSource& source, Shape from, Shape to, void* scratch,
           Multiply&& multiply, Finish&& finish) const {
    const std::int64_t tiles = tile_count(to);
    const std::size_t made = depth(to);
    parallel_for(plan.count, [&](std::int64_t block, int worker) {
      const std::int64_t begin = block * plan.tiles_per_block;
      const std::int64_t end = std::min(tiles, begin + plan.tiles_per_block);
      float* memory =
          static_cast<float*>(scratch) + plan.worker_bytes / sizeof(float) * static_cast<std::size_t>(worker);
      TransformedBlock transformed = plan.transformed;
      TransformedBlock products = plan.products;
      transformed.values = memory;
      products.values = memory + plan.products_at;
      winograd_transform_source(source, {from, begin, end}, transformed);
      for (std::size_t first = 0; first < made; first += plan.chunk) {
        multiply(transformed, static_cast<std::size_t>(end - begin), first, panel_width(made, first),
                 products);
        finish(products, TileRange{to, begin, end}, ChannelRange{first, std::min(plan.chunk, made - first)});
      }
    });
  }

  std::shared_ptr<const PackedFilter> owner_;
  const WinogradFilter& packed_;
  Shape input_, output_;
  BlockPlan forward_, backward_;
  std::size_t weights_at_;  ///< bytes
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
  const auto in = static_cast<std::size_t>(filter.in_channels);
  const auto out = static_cast<std::size_t>(filter.out_channels);
  std::size_t floats = out + std::max(in, out);
  if (!kept(filter))
    floats += tap_floats(in, out);
  else
    floats += transformed_floats(filter, false) + (backward ? transformed_floats(filter, true) : 0);
  const bool border = backward && filter.border != Border::zero;
  return floats * sizeof(float) + (border ? BorderGradient::weight_bytes(filter) : 0);
}

std::size_t winograd_scratch(const Filter& filter, Shape input) {
  const std::size_t weights = std::max(transformed_floats(filter, false), transformed_floats(filter, true));
  return workers_bytes(filter, input) + (kept(filter) ? 0 : weights * sizeof(float));
}

}  // namespace gramflow::cpu
