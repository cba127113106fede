// Bands of rows. Forward copies the band with its border, then goes row by row. Backward keeps the spread
// gradient of three rows in a ring and collects a result row from each three; neighbouring bands compute the
// two rows they share twice.
#include "framework/devices/cpu/convolution/narrow_convolution.h"

#include <algorithm>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/border.h"
#include "framework/devices/cpu/border_gradient.h"
#include "framework/devices/cpu/convolution/convolution_edges.h"
#include "framework/devices/cpu/convolution/narrow_kernels.h"
#include "framework/devices/cpu/convolution/winograd_kernels.h"

namespace gramflow::cpu {

namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Sizes that follow from the filter.
struct NarrowSizes {
  explicit NarrowSizes(const Filter& f)
      : in(size(f.in_channels)),
        out(size(f.out_channels)),
        padded_out(padded_channels(out)),
        padded_taps(padded_channels(9 * in)) {}
  std::size_t forward_floats() const { return 9 * in * padded_out; }
  std::size_t backward_floats() const { return out * padded_taps; }
  std::size_t in, out, padded_out, padded_taps;
};

/// Rows of a band, and a worker's memory. Even, for pooling; high enough that shared rows cost little.
struct BandPlan {
  BandPlan(const Filter& filter, Shape input)
      : rows(input.height >= 128 ? 32 : 8), count(divide_up(input.height, rows)) {
    const NarrowSizes sizes(filter);
    const std::size_t width = size(input.width);
    const std::size_t padding = narrow_channels * sizeof(float);
    picture = align_up(size(rows + 2) * (width + 2) * sizes.in * sizeof(float) + padding);
    work = align_up(narrow_work(sizes.padded_out) * sizeof(float));
    made = align_up(2 * width * sizes.out * sizeof(float));
    spread = align_up(width * sizes.padded_taps * sizeof(float) + padding);
    result = align_up(width * sizes.in * sizeof(float) + padding);
    const std::size_t border = align_up(BorderGradient::worker_floats(filter) * sizeof(float));
    worker = std::max({picture + work + made, 3 * spread + made + result, border});
  }
  std::int64_t rows, count;
  std::size_t picture, work, made, spread, result, worker;
};

class NarrowFilter final : public PackedFilter {
 public:
  NarrowFilter(const Filter& filter, bool backward)
      : PackedFilter(filter, backward), bias(filter.bias, filter.bias + filter.out_channels) {
    const NarrowSizes sizes(filter);
    forward.resize(sizes.forward_floats());
    if (backward) spread.resize(sizes.backward_floats());
    for (std::size_t o = 0; o < sizes.out; ++o)
      for (std::size_t i = 0; i < sizes.in; ++i)
        for (std::size_t tap = 0; tap < 9; ++tap) {
          const float weight = filter.weights[(o * sizes.in + i) * 9 + tap];
          const std::size_t row = tap * sizes.in + i;
          forward[row * sizes.padded_out + o] = weight;
          if (backward) spread[o * sizes.padded_taps + row] = weight;
        }
    if (backward && filter.border != Border::zero) border = std::make_unique<BorderGradient>(filter);
  }
  std::unique_ptr<Convolution> prepare(std::shared_ptr<const PackedFilter> self, Shape input) const override;

  std::vector<float> bias, forward, spread;
  std::unique_ptr<BorderGradient> border;
};

class NarrowConvolution final : public Convolution {
 public:
  NarrowConvolution(std::shared_ptr<const PackedFilter> owner, const NarrowFilter& filter, Shape input)
      : owner_(std::move(owner)),
        packed_(filter),
        sizes_(filter.filter()),
        plan_(filter.filter(), input),
        input_(input),
        output_(convolved_shape(filter.filter(), input)),
        scratch_(narrow_scratch(filter.filter(), input)) {}

  std::size_t scratch_bytes() const override { return scratch_; }

  void forward(const float* input, const ConvolutionOutputs& outputs, void* scratch) const override {
    const std::int64_t width = input_.width;
    ConvolutionOutputs pooling = outputs;
    pooling.mask = nullptr;
    const bool streamed = !outputs.pooled && !outputs.index && goes_past_caches(outputs.output, output_);
    parallel_for(plan_.count, [&](std::int64_t band, int worker) {
      const std::int64_t top = band * plan_.rows;
      const std::int64_t bottom = std::min(input_.height, top + plan_.rows);
      std::byte* memory = static_cast<std::byte*>(scratch) + plan_.worker * size(worker);
      float* picture = reinterpret_cast<float*>(memory);
      float* work = reinterpret_cast<float*>(memory + plan_.picture);
      float* made = reinterpret_cast<float*>(memory + plan_.picture + plan_.work);
      gather_with_border(input, input_, packed_.filter().border, top - 1, -1, bottom - top + 2, width + 2,
                         picture);
      const std::size_t step = size(width + 2) * sizes_.in;
      const std::int64_t made_row = width * output_.channels;
      for (std::int64_t y = top; y < bottom; ++y) {
        float* pair = outputs.output ? outputs.output + (y - y % 2) * made_row : made;
        NarrowRow row{picture + size(y - top) * step,
                      step,
                      sizes_.in,
                      packed_.forward.data(),
                      packed_.bias.data(),
                      sizes_.out,
                      sizes_.padded_out,
                      size(width),
                      outputs.relu,
                      streamed,
                      pair + (y % 2) * made_row,
                      nullptr};
        if (outputs.mask) row.mask = outputs.mask + y * width * divide_up(output_.channels, 8);
        narrow_forward_row(row, work);
        if (y % 2 == 1) write_side_outputs(pair, output_, y - 1, y + 1, pooling);
      }
    });
  }

  void backward(const ConvolutionGradient& gradient, void* scratch) const override {
    const std::int64_t width = input_.width;
    parallel_for(plan_.count, [&](std::int64_t band, int worker) {
      const std::int64_t top = band * plan_.rows;
      const std::int64_t bottom = std::min(input_.height, top + plan_.rows);
      std::byte* memory = static_cast<std::byte*>(scratch) + plan_.worker * size(worker);
      const auto ring = [&](std::int64_t y) {
        return reinterpret_cast<float*>(memory + plan_.spread * size((y + 3) % 3));
      };
      float* row = reinterpret_cast<float*>(memory + 3 * plan_.spread);
      float* result = reinterpret_cast<float*>(memory + 3 * plan_.spread + plan_.made);
      const auto inside = [&](std::int64_t y) { return y >= 0 && y < input_.height; };
      for (std::int64_t y = top - 1; y <= bottom; ++y) {
        if (inside(y)) {
          const float* from = gradient.gradient ? gradient.gradient + y * width * output_.channels : row;
          if (!gradient.gradient) gather_gradient(gradient, output_, y, 0, 1, width, row);
          narrow_spread_row(from, size(width), sizes_.out, packed_.spread.data(), sizes_.padded_taps,
                            ring(y));
        }
        if (y <= top) continue;
        const float* const spread[3] = {inside(y - 2) ? ring(y - 2) : nullptr, ring(y - 1),
                                        inside(y) ? ring(y) : nullptr};
        narrow_collect_row(spread, size(width), sizes_.in, sizes_.padded_taps, result);
        write_result(result, input_, y - 1, y, gradient);
      }
    });
    if (packed_.border) packed_.border->add(gradient, input_, static_cast<float*>(scratch));
  }

 private:
  std::shared_ptr<const PackedFilter> owner_;
  const NarrowFilter& packed_;
  NarrowSizes sizes_;
  BandPlan plan_;
  Shape input_, output_;
  std::size_t scratch_;
};

std::unique_ptr<Convolution> NarrowFilter::prepare(std::shared_ptr<const PackedFilter> self,
                                                   Shape input) const {
  return std::make_unique<NarrowConvolution>(std::move(self), *this, input);
}

}  // namespace

bool narrow_can(const Filter& filter) {
  return filter.kernel == 3 && filter.padding == 1 && size(filter.in_channels) <= narrow_channels;
}

std::shared_ptr<const PackedFilter> pack_narrow(const Filter& filter, bool backward) {
  return std::make_shared<NarrowFilter>(filter, backward);
}

std::size_t narrow_packed_bytes(const Filter& filter, bool backward) {
  const NarrowSizes sizes(filter);
  const std::size_t floats = sizes.forward_floats() + (backward ? sizes.backward_floats() : 0) + sizes.out;
  const bool border = backward && filter.border != Border::zero;
  return floats * sizeof(float) + (border ? BorderGradient::weight_bytes(filter) : 0);
}

std::size_t narrow_scratch(const Filter& filter, Shape input) {
  return BandPlan(filter, input).worker * static_cast<std::size_t>(worker_limit());
}

}  // namespace gramflow::cpu
