// Bands of output rows, each: copy the band of the input with its border into scratch (so every border is the
// same convolution without padding, and a band is one of two primitives: the usual height, and the last),
// convolve, then write what is fused. Backward is a convolution of the gradient, padded with zeros, with the
// flipped and transposed filter; for a border that is not zero it is computed for the padded picture, whose
// border is then folded back onto the pixels it copied. The first and last band are high enough to hold what
// their border folds onto.
#include "framework/devices/cpu/convolution/direct_convolution.h"

#include <algorithm>
#include <cstring>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/border.h"
#include "framework/devices/cpu/convolution/convolution_edges.h"
#include "framework/devices/cpu/convolution/onednn.h"

namespace gramflow::cpu {

namespace {

class DirectFilter final : public PackedFilter {
 public:
  DirectFilter(const Filter& filter, bool backward)
      : PackedFilter(filter, backward),
        forward(filter.weights, filter.in_channels, filter.out_channels, filter.kernel),
        bias(filter.bias, filter.bias + filter.out_channels) {
    if (!backward) return;
    const std::size_t area = static_cast<std::size_t>(filter.kernel * filter.kernel);
    const std::size_t in = static_cast<std::size_t>(filter.in_channels);
    const std::size_t out = static_cast<std::size_t>(filter.out_channels);
    std::vector<float> flipped(area * in * out);
    for (std::size_t o = 0; o < out; ++o)
      for (std::size_t i = 0; i < in; ++i)
        for (std::size_t k = 0; k < area; ++k)
          flipped[(i * out + o) * area + area - 1 - k] = filter.weights[(o * in + i) * area + k];
    backward_weights = std::make_unique<OnednnWeights>(flipped.data(), filter.out_channels,
                                                       filter.in_channels, filter.kernel);
  }
  std::unique_ptr<Convolution> prepare(std::shared_ptr<const PackedFilter> self, Shape input) const override;

  OnednnWeights forward;
  std::unique_ptr<OnednnWeights> backward_weights;
  std::vector<float> bias;
};

/// How rows are cut, and how much a worker needs for a band.
struct BandPlan {
  std::int64_t rows, count, last_rows;
  BandPlan(std::int64_t height, std::int64_t elements_per_row, std::int64_t least) {
    rows = std::min(divide_up(height, 2) * 2, rows_per_block(elements_per_row, 1 << 18, 2));
    rows = std::max(rows, divide_up(least, 2) * 2);
    count = divide_up(height, rows);
    last_rows = height - (count - 1) * rows;
    if (last_rows < least && count > 1) {  // too low to hold its border: joins the band before
      --count;
      last_rows += rows;
    }
  }
  std::int64_t most_rows() const { return std::max(rows, last_rows); }
  std::int64_t begin(std::int64_t band) const { return band * rows; }
  std::int64_t end(std::int64_t band) const { return begin(band) + (band + 1 == count ? last_rows : rows); }
};

/// Primitives for the bands of one direction.
struct Bands {
  Bands(BandPlan bands, std::int64_t columns, int in, int out, int kernel, std::int64_t extra_rows, bool bias,
        bool relu)
      : plan(bands),
        usual(BandShape{plan.rows, columns, in, out, kernel}, bias, relu),
        first(BandShape{plan.rows + extra_rows, columns, in, out, kernel}, bias, relu),
        last(BandShape{plan.last_rows + extra_rows, columns, in, out, kernel}, bias, relu),
        only(BandShape{plan.last_rows + 2 * extra_rows, columns, in, out, kernel}, bias, relu) {
    const std::size_t rows = static_cast<std::size_t>(plan.most_rows() + 2 * extra_rows);
    const std::size_t border = static_cast<std::size_t>(kernel - 1);
    const std::size_t width = static_cast<std::size_t>(columns);
    const std::size_t gathered = (rows + border) * (width + border) * static_cast<std::size_t>(in);
    const std::size_t convolved = rows * width * static_cast<std::size_t>(out);
    input_bytes = align_up(std::max(gathered, convolved) * sizeof(float));  // folding a border ends there
    output_bytes = align_up(convolved * sizeof(float));
    scratchpad_bytes = align_up(std::max({usual.scratchpad_bytes(), first.scratchpad_bytes(),
                                          last.scratchpad_bytes(), only.scratchpad_bytes()}));
  }
  std::size_t worker_bytes() const { return input_bytes + output_bytes + scratchpad_bytes; }
  const OnednnConvolution& of(std::int64_t band) const {
    if (plan.count == 1) return only;
    return band == 0 ? first : band + 1 == plan.count ? last : usual;
  }

  BandPlan plan;
  OnednnConvolution usual, first, last, only;
  std::size_t input_bytes, output_bytes, scratchpad_bytes;
};

std::int64_t fold_rows(const Filter& filter) { return filter.border == Border::zero ? 0 : filter.padding; }

Bands forward_bands(const Filter& filter, Shape input, bool relu) {
  const Shape output = convolved_shape(filter, input);
  const BandPlan plan(output.height, output.width * std::max(filter.in_channels, filter.out_channels), 1);
  return Bands(plan, output.width, filter.in_channels, filter.out_channels, filter.kernel, 0, true, relu);
}

Bands backward_bands(const Filter& filter, Shape input) {
  const std::int64_t fold = fold_rows(filter);
  const BandPlan plan(input.height, input.width * std::max(filter.in_channels, filter.out_channels),
                      fold + 1);
  return Bands(plan, input.width + 2 * fold, filter.out_channels, filter.in_channels, filter.kernel, fold,
               false, false);
}

class DirectConvolution final : public Convolution {
 public:
  DirectConvolution(std::shared_ptr<const PackedFilter> owner, const DirectFilter& filter, Shape input)
      : owner_(std::move(owner)),
        packed_(filter),
        filter_(filter.filter()),
        input_(input),
        output_(convolved_shape(filter_, input)),
        forward_(forward_bands(filter_, input, false)),
        forward_relu_(forward_bands(filter_, input, true)),
        scratch_(direct_scratch(filter_, input)) {
    if (filter.has_backward()) backward_ = std::make_unique<Bands>(backward_bands(filter_, input));
  }

  std::size_t scratch_bytes() const override { return scratch_; }

  void forward(const float* input, const ConvolutionOutputs& outputs, void* scratch) const override {
    const Bands& bands = outputs.relu ? forward_relu_ : forward_;
    const std::int64_t row = output_.width * output_.channels;
    parallel_for(bands.plan.count, [&](std::int64_t band, int worker) {
      const std::int64_t top = bands.plan.begin(band);
      const std::int64_t bottom = bands.plan.end(band);
      const Worker memory(bands, scratch, worker);
      gather_with_border(input, input_, filter_.border, top - filter_.padding, -filter_.padding,
                         bottom - top + filter_.kernel - 1, output_.width + filter_.kernel - 1, memory.input);
      float* to = outputs.output ? outputs.output + top * row : memory.output;
      bands.of(band).run(packed_.forward, packed_.bias.data(), memory.input, to, memory.scratchpad);
      write_side_outputs(to, output_, top, bottom, outputs);
    });
  }

  void backward(const ConvolutionGradient& gradient, void* scratch) const override {
    const Bands& bands = *backward_;
    const std::int64_t fold = fold_rows(filter_);
    const std::int64_t reach = filter_.kernel - 1 - filter_.padding;
    parallel_for(bands.plan.count, [&](std::int64_t band, int worker) {
      const std::int64_t top = bands.plan.begin(band);
      const std::int64_t bottom = bands.plan.end(band);
      const std::int64_t padded_top = band == 0 ? -fold : top;
      const std::int64_t padded_bottom = band + 1 == bands.plan.count ? bottom + fold : bottom;
      const Worker memory(bands, scratch, worker);
      gather_gradient(gradient, output_, padded_top - reach, -fold - reach,
                      padded_bottom - padded_top + filter_.kernel - 1,
                      input_.width + 2 * fold + filter_.kernel - 1, memory.input);
      bands.of(band).run(*packed_.backward_weights, nullptr, memory.input, memory.output, memory.scratchpad);
      const float* finished = memory.output;
      if (fold > 0) {
        fold_border(memory.output, padded_top, padded_bottom, top, bottom, memory.input);
        finished = memory.input;
      }
      write_result(finished, input_, top, bottom, gradient);
    });
  }

 private:
  struct Worker {
    Worker(const Bands& bands, void* scratch, int worker) {
      std::byte* base =
          static_cast<std::byte*>(scratch) + bands.worker_bytes() * static_cast<std::size_t>(worker);
      input = reinterpret_cast<float*>(base);
      output = reinterpret_cast<float*>(base + bands.input_bytes);
      scratchpad = base + bands.input_bytes + bands.output_bytes;
    }
    float* input;
    float* output;
    void* scratchpad;
  };

  /// Adds what the border's copies received to the pixels they are copies of.
  void fold_border(const float* padded, std::int64_t padded_top, std::int64_t padded_bottom, std::int64_t top,
                   std::int64_t bottom, float* to) const {
    const std::int64_t channels = input_.channels;
    const std::int64_t fold = fold_rows(filter_);
    std::memset(to, 0, static_cast<std::size_t>((bottom - top) * input_.width * channels) * sizeof(float));
    for (std::int64_t y = padded_top; y < padded_bottom; ++y)
      for (std::int64_t x = -fold; x < input_.width + fold; ++x, padded += channels) {
        const std::int64_t source_y = border_source(y, input_.height, filter_.border) - top;
        const std::int64_t source_x = border_source(x, input_.width, filter_.border);
        float* pixel = to + (source_y * input_.width + source_x) * channels;
        for (std::int64_t c = 0; c < channels; ++c) pixel[c] += padded[c];
      }
  }

  std::shared_ptr<const PackedFilter> owner_;
  const DirectFilter& packed_;
  Filter filter_;
  Shape input_, output_;
  Bands forward_, forward_relu_;
  std::unique_ptr<Bands> backward_;
  std::size_t scratch_;
};

std::unique_ptr<Convolution> DirectFilter::prepare(std::shared_ptr<const PackedFilter> self,
                                                   Shape input) const {
  return std::make_unique<DirectConvolution>(std::move(self), *this, input);
}

}  // namespace

std::shared_ptr<const PackedFilter> pack_direct(const Filter& filter, bool backward) {
  return std::make_shared<DirectFilter>(filter, backward);
}

std::size_t direct_packed_bytes(const Filter& filter, bool backward) {
  const std::size_t forward = OnednnWeights::bytes(filter.in_channels, filter.out_channels, filter.kernel);
  const std::size_t back =
      backward ? OnednnWeights::bytes(filter.out_channels, filter.in_channels, filter.kernel) : 0;
  return forward + back + static_cast<std::size_t>(filter.out_channels) * sizeof(float);
}

std::size_t direct_scratch(const Filter& filter, Shape input) {
  const std::size_t one = std::max({forward_bands(filter, input, false).worker_bytes(),
                                    forward_bands(filter, input, true).worker_bytes(),
                                    backward_bands(filter, input).worker_bytes()});
  return one * static_cast<std::size_t>(worker_limit());
}

}  // namespace gramflow::cpu
