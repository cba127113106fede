#include "tests/devices/counting_device.h"

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "framework/devices/cpu/cpu_device.h"
#include "framework/ops/convolution.h"
#include "framework/ops/gram.h"
#include "framework/ops/pool.h"
#include "framework/ops/relu.h"
#include "framework/ops/squared_error.h"
#include "framework/ops/total_variation.h"

namespace gramflow::test {
namespace {

/// Nothing outside of this file can look into it.
class FarBuffer final : public Buffer {
 public:
  FarBuffer(std::size_t bytes, Counts& counts) : Buffer(bytes), counts_(counts), words_(bytes / 8 + 1) {
    counts_.allocated += bytes;
    counts_.most_allocated = std::max(counts_.most_allocated, counts_.allocated);
  }
  ~FarBuffer() override { counts_.allocated -= bytes(); }
  void clear() { std::fill(words_.begin(), words_.end(), std::nan("")); }
  std::byte* at(std::size_t offset) { return reinterpret_cast<std::byte*>(words_.data()) + offset; }

 private:
  Counts& counts_;
  std::vector<double> words_;
};

std::byte* bytes_of(const DeviceView& view) {
  if (!view) return nullptr;
  if (view.offset + view.desc.bytes() > view.buffer->bytes())
    throw std::logic_error("behind the buffer's end");
  return dynamic_cast<FarBuffer&>(*view.buffer).at(view.offset);
}
TensorView resolved(const DeviceView& view) { return {bytes_of(view), view.desc}; }

std::int64_t source(std::int64_t at, std::int64_t size, Border border) {
  if (at >= 0 && at < size) return at;
  if (border == Border::zero) return -1;
  if (border == Border::replicate) return at < 0 ? 0 : size - 1;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

std::int64_t mask_bytes(std::int64_t channels) { return (channels + 7) / 8; }
bool bit(const std::uint8_t* mask, std::int64_t pixel, std::int64_t c, std::int64_t channels) {
  return (mask[pixel * mask_bytes(channels) + c / 8] >> (c % 8) & 1) != 0;
}
void set_bits(std::uint8_t* mask, const float* values, const Shape& shape) {
  std::memset(mask, 0, static_cast<std::size_t>(shape.pixels() * mask_bytes(shape.channels)));
  for (std::int64_t p = 0; p < shape.pixels(); ++p)
    for (std::int64_t c = 0; c < shape.channels; ++c)
      if (values[p * shape.channels + c] > 0)
        mask[p * mask_bytes(shape.channels) + c / 8] |= static_cast<std::uint8_t>(1U << (c % 8));
}

/// Maxima of 2x2 with where they stood; `cut`: 4 where they are not positive.
void pool_maxima(const float* from, const Shape& shape, float* to, std::uint8_t* index, bool cut) {
  const Shape half{shape.height / 2, shape.width / 2, shape.channels};
  for (std::int64_t y = 0; y < half.height; ++y)
    for (std::int64_t x = 0; x < half.width; ++x)
      for (std::int64_t c = 0; c < half.channels; ++c) {
        int best = 0;
        float most = 0;
        for (int k = 0; k < 4; ++k) {
          const float value = from[((2 * y + k / 2) * shape.width + 2 * x + k % 2) * shape.channels + c];
          if (k == 0 || value > most) best = k, most = value;
        }
        const std::int64_t at = (y * half.width + x) * half.channels + c;
        if (to != nullptr) to[at] = most;
        if (index != nullptr) index[at] = static_cast<std::uint8_t>(cut && !(most > 0) ? 4 : best);
      }
}

/// Gradient before the pooling, 0 where no maximum stood.
std::vector<float> spread(const float* pooled, const std::uint8_t* index, const Shape& shape) {
  std::vector<float> result(static_cast<std::size_t>(shape.elements()), 0.0F);
  const Shape half{shape.height / 2, shape.width / 2, shape.channels};
  for (std::int64_t y = 0; y < half.height; ++y)
    for (std::int64_t x = 0; x < half.width; ++x)
      for (std::int64_t c = 0; c < half.channels; ++c) {
        const std::int64_t at = (y * half.width + x) * half.channels + c;
        if (const int k = index[at]; k < 4)
          result[static_cast<std::size_t>(((2 * y + k / 2) * shape.width + 2 * x + k % 2) * shape.channels +
                                          c)] = pooled[at];
      }
  return result;
}

void put(TensorView to, std::int64_t i, double value, bool add) {
  to.f32()[i] = static_cast<float>(value + (add ? static_cast<double>(to.f32()[i]) : 0.0));
}

}  // namespace

struct CountingDevice::Taps {
  FilterShape shape;
  std::vector<float> weights, bias;
  Shape output(const Shape& input) const {
    const std::int64_t change = 2 * shape.padding - shape.kernel + 1;
    return {input.height + change, input.width + change, shape.out_channels};
  }
  /// visit(input element, output element, weight) for every product.
  template <class Visit>
  void for_products(const Shape& input, Visit visit) const {
    const Shape made = output(input);
    for (std::int64_t y = 0; y < made.height; ++y)
      for (std::int64_t x = 0; x < made.width; ++x)
        for (std::int64_t ky = 0; ky < shape.kernel; ++ky)
          for (std::int64_t kx = 0; kx < shape.kernel; ++kx) {
            const std::int64_t sy = source(y + ky - shape.padding, input.height, shape.border);
            const std::int64_t sx = source(x + kx - shape.padding, input.width, shape.border);
            if (sy < 0 || sx < 0) continue;
            for (std::int64_t o = 0; o < shape.out_channels; ++o)
              for (std::int64_t i = 0; i < shape.in_channels; ++i)
                visit((sy * input.width + sx) * input.channels + i, (y * made.width + x) * made.channels + o,
                      static_cast<double>(weights[static_cast<std::size_t>(
                          ((o * shape.in_channels + i) * shape.kernel + ky) * shape.kernel + kx)]));
          }
  }
};

Support all_kinds() {
  return {{"Convolution", "Relu", "Pool", "Gram", "SquaredError", "TotalVariation"}, true, true, true, true};
}

Devices counting_devices(const std::shared_ptr<CountingDevice>& device) {
  return {device, make_cpu_device()};
}

CountingDevice::~CountingDevice() = default;

bool CountingDevice::runs(const Op& op, std::span<const TensorDesc> inputs) const {
  std::string kind(op.kind());
  if (const std::size_t end = kind.find("Backward"); end != std::string::npos) kind.resize(end);
  if (!support_.kinds.contains(kind) || !all_kinds().kinds.contains(kind)) return false;
  if (const auto* convolution = dynamic_cast<const Convolution*>(&op))
    return (!convolution->relu() || support_.relu_in_convolution) &&
           (!convolution->pool() || support_.pool_in_convolution);
  if (dynamic_cast<const ConvolutionBackward*>(&op) != nullptr)
    return (!present(inputs[ConvolutionBackward::mask]) || support_.mask_in_backward) &&
           (!present(inputs[ConvolutionBackward::index]) || support_.index_in_backward);
  if (const auto* pool = dynamic_cast<const Pool*>(&op)) return pool->pool() == PoolKind::max;
  if (const auto* pool = dynamic_cast<const PoolBackward*>(&op)) return pool->pool() == PoolKind::max;
  return true;
}

/// Doubles for a convolution's result, so that scratch memory goes through the door, too.
std::size_t CountingDevice::scratch_bytes(const Op& op, std::span<const TensorDesc> inputs) const {
  if (op.filter() == nullptr) return 0;
  const auto* backward = dynamic_cast<const ConvolutionBackward*>(&op);
  const Shape shape = backward != nullptr ? backward->input_shape() : op.infer(inputs)[0].shape;
  return static_cast<std::size_t>(shape.elements()) * sizeof(double);
}

std::size_t CountingDevice::packed_bytes(const FilterUse& use) const {
  const FilterShape& shape = use.filter->shape();
  const auto out = static_cast<std::size_t>(shape.out_channels);
  return (out * static_cast<std::size_t>(shape.in_channels * shape.kernel * shape.kernel) + out) *
         sizeof(float);
}

std::unique_ptr<Buffer> CountingDevice::allocate(std::size_t bytes) {
  return std::make_unique<FarBuffer>(bytes, counts);
}
void CountingDevice::forget(Buffer& buffer) { dynamic_cast<FarBuffer&>(buffer).clear(); }

void CountingDevice::upload(const void* from, const DeviceView& to) {
  std::memcpy(bytes_of(to), from, to.desc.bytes());
  const std::lock_guard lock(mutex_);
  ++counts.uploads;
  counts.uploaded_bytes += static_cast<double>(to.desc.bytes());
}

void CountingDevice::download(const DeviceView& from, void* to) {
  std::memcpy(to, bytes_of(from), from.desc.bytes());
  const std::lock_guard lock(mutex_);
  ++counts.downloads;
  counts.downloaded_bytes += static_cast<double>(from.desc.bytes());
}

void CountingDevice::read_scalars(std::span<const DeviceView> scalars, std::span<double> to) {
  for (std::size_t i = 0; i < scalars.size(); ++i) std::memcpy(&to[i], bytes_of(scalars[i]), sizeof(double));
  counts.scalars += static_cast<std::int64_t>(scalars.size());
}

void CountingDevice::pack(std::span<const FilterUse> filters) {
  for (const FilterUse& use : filters) {
    if (taps_.contains(use.filter.get())) continue;
    const FilterSource::Taps read = use.filter->taps();
    const FilterShape& shape = use.filter->shape();
    auto taps = std::make_shared<Taps>();
    taps->shape = shape;
    taps->weights.assign(read.weights,
                         read.weights + shape.out_channels * shape.in_channels * shape.kernel * shape.kernel);
    taps->bias.assign(read.bias, read.bias + shape.out_channels);
    taps_[use.filter.get()] = taps;
  }
}

std::unique_ptr<Kernel> CountingDevice::prepare(const Op& op, const DeviceBindings& memory) {
  std::vector<TensorView> in, out;
  for (const DeviceView& view : memory.inputs) in.push_back(resolved(view));
  for (const DeviceView& view : memory.outputs) out.push_back(resolved(view));
  out.resize(4);  // optional outputs that the program does not name
  auto* scratch = reinterpret_cast<double*>(bytes_of(memory.scratch));
  const auto kernel = [this, kind = std::string(op.kind())](auto body) {
    return make_kernel([this, kind, body] {
      {
        const std::lock_guard lock(mutex_);
        ++counts.runs[kind];
      }
      body();
    });
  };

  if (const auto* convolution = dynamic_cast<const Convolution*>(&op))
    return kernel([=, taps = taps_.at(convolution->filter().get()), relu = convolution->relu()] {
      const Shape made = taps->output(in[0].shape());
      for (std::int64_t i = 0; i < made.elements(); ++i)
        scratch[i] = static_cast<double>(taps->bias[static_cast<std::size_t>(i % made.channels)]);
      taps->for_products(in[0].shape(), [&](std::int64_t from, std::int64_t to, double weight) {
        scratch[to] += static_cast<double>(in[0].f32()[from]) * weight;
      });
      std::vector<float> y(static_cast<std::size_t>(made.elements()));
      for (std::size_t i = 0; i < y.size(); ++i)
        y[i] = static_cast<float>(relu ? std::max(0.0, scratch[i]) : scratch[i]);
      if (out[Convolution::y]) std::memcpy(out[Convolution::y].data, y.data(), y.size() * sizeof(float));
      if (out[Convolution::mask]) set_bits(out[Convolution::mask].u8(), y.data(), made);
      if (out[Convolution::pooled] || out[Convolution::index])
        pool_maxima(y.data(), made, out[Convolution::pooled].f32(), out[Convolution::index].u8(), true);
    });
  if (const auto* backward = dynamic_cast<const ConvolutionBackward*>(&op))
    return kernel([=, taps = taps_.at(backward->filter().get()), shape = backward->input_shape()] {
      const TensorView given = in[ConvolutionBackward::gradient_of_output];
      std::vector<float> spread_gradient;
      const float* gradient = given.f32();
      if (in[ConvolutionBackward::index]) {
        spread_gradient = spread(gradient, in[ConvolutionBackward::index].u8(), taps->output(shape));
        gradient = spread_gradient.data();
      }
      std::fill(scratch, scratch + shape.elements(), 0.0);
      taps->for_products(shape, [&](std::int64_t to, std::int64_t from, double weight) {
        scratch[to] += static_cast<double>(gradient[from]) * weight;
      });
      const bool add = static_cast<bool>(in[ConvolutionBackward::accumulator_input]);
      const std::uint8_t* mask = in[ConvolutionBackward::mask].u8();
      for (std::int64_t i = 0; i < shape.elements(); ++i) {
        put(out[0], i, scratch[i], add);
        if (mask != nullptr && !bit(mask, i / shape.channels, i % shape.channels, shape.channels))
          out[0].f32()[i] = 0;
      }
    });
  if (dynamic_cast<const Relu*>(&op) != nullptr)
    return kernel([=] {
      const Shape shape = in[0].shape();
      std::vector<float> y(static_cast<std::size_t>(shape.elements()));
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::max(0.0F, in[0].f32()[i]);
      if (out[Relu::y]) std::memcpy(out[Relu::y].data, y.data(), y.size() * sizeof(float));
      if (out[Relu::mask]) set_bits(out[Relu::mask].u8(), y.data(), shape);
    });
  if (dynamic_cast<const ReluBackward*>(&op) != nullptr)
    return kernel([=] {
      const Shape shape = out[0].shape();
      const bool add = static_cast<bool>(in[ReluBackward::accumulator_input]);
      for (std::int64_t i = 0; i < shape.elements(); ++i) {
        const bool open =
            bit(in[ReluBackward::mask].u8(), i / shape.channels, i % shape.channels, shape.channels);
        put(out[0], i, open ? static_cast<double>(in[ReluBackward::gradient_of_output].f32()[i]) : 0.0, add);
      }
    });
  if (dynamic_cast<const Pool*>(&op) != nullptr)
    return kernel(
        [=] { pool_maxima(in[0].f32(), in[0].shape(), out[Pool::y].f32(), out[Pool::index].u8(), false); });
  if (dynamic_cast<const PoolBackward*>(&op) != nullptr)
    return kernel([=] {
      const std::vector<float> gradient =
          spread(in[PoolBackward::gradient_of_output].f32(), in[PoolBackward::index].u8(), out[0].shape());
      for (std::size_t i = 0; i < gradient.size(); ++i)
        put(out[0], static_cast<std::int64_t>(i), static_cast<double>(gradient[i]),
            static_cast<bool>(in[PoolBackward::accumulator_input]));
    });
  if (dynamic_cast<const Gram*>(&op) != nullptr)
    return kernel([=] {
      const Shape shape = in[0].shape();
      const float* f = in[0].f32();
      for (std::int64_t a = 0; a < shape.channels; ++a)
        for (std::int64_t b = 0; b < shape.channels; ++b) {
          double sum = 0;
          for (std::int64_t p = 0; p < shape.pixels(); ++p)
            sum += static_cast<double>(f[p * shape.channels + a]) *
                   static_cast<double>(f[p * shape.channels + b]);
          out[0].f32()[a * shape.channels + b] =
              static_cast<float>(sum / static_cast<double>(shape.elements()));
        }
    });
  if (dynamic_cast<const GramBackward*>(&op) != nullptr)
    return kernel([=] {
      const Shape shape = in[GramBackward::features].shape();
      const std::int64_t n = shape.channels;
      const std::vector<float> f(in[0].f32(), in[0].f32() + shape.elements());  // the result may lie on it
      const float* d = in[GramBackward::gradient_of_gram].f32();
      for (std::int64_t p = 0; p < shape.pixels(); ++p)
        for (std::int64_t c = 0; c < n; ++c) {
          double sum = 0;
          for (std::int64_t k = 0; k < n; ++k)
            sum += static_cast<double>(f[static_cast<std::size_t>(p * n + k)]) *
                   (static_cast<double>(d[k * n + c]) + static_cast<double>(d[c * n + k]));
          put(out[0], p * n + c, sum / static_cast<double>(shape.elements()),
              static_cast<bool>(in[GramBackward::accumulator_input]));
        }
    });
  if (const auto* error = dynamic_cast<const SquaredError*>(&op))
    return kernel([=, weight = error->weight()] {
      double sum = 0;
      const std::int64_t count = in[0].shape().elements();
      for (std::int64_t i = 0; i < count; ++i)
        sum += std::pow(static_cast<double>(in[0].f32()[i]) - static_cast<double>(in[1].f32()[i]), 2);
      *out[0].f64() = weight * sum / static_cast<double>(count);
    });
  if (const auto* error = dynamic_cast<const SquaredErrorBackward*>(&op))
    return kernel([=, weight = error->weight()] {
      const std::int64_t count = in[0].shape().elements();
      for (std::int64_t i = 0; i < count; ++i)
        put(out[0], i,
            2 * weight * (static_cast<double>(in[0].f32()[i]) - static_cast<double>(in[1].f32()[i])) /
                static_cast<double>(count),
            static_cast<bool>(in[SquaredErrorBackward::accumulator_input]));
    });
  const auto for_steps = [](const Shape& shape, auto visit) {  // visit(from, to, share of the mean)
    const std::int64_t row = shape.width * shape.channels;
    const double down = static_cast<double>((shape.height - 1) * row);
    const double right = static_cast<double>(shape.height * (shape.width - 1) * shape.channels);
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      if (i / row + 1 < shape.height) visit(i, i + row, 1 / down);
      if (i % row / shape.channels + 1 < shape.width) visit(i, i + shape.channels, 1 / right);
    }
  };
  if (const auto* variation = dynamic_cast<const TotalVariation*>(&op))
    return kernel([=, weight = variation->weight()] {
      double sum = 0;
      for_steps(in[0].shape(), [&](std::int64_t a, std::int64_t b, double share) {
        sum += share * std::fabs(static_cast<double>(in[0].f32()[b]) - static_cast<double>(in[0].f32()[a]));
      });
      *out[0].f64() = weight / 2 * sum;
    });
  if (const auto* variation = dynamic_cast<const TotalVariationBackward*>(&op))
    return kernel([=, weight = variation->weight()] {
      std::vector<double> slope(static_cast<std::size_t>(in[0].shape().elements()), 0.0);
      for_steps(in[0].shape(), [&](std::int64_t a, std::int64_t b, double share) {
        const float step = in[0].f32()[b] - in[0].f32()[a];
        const double sign = step > 0 ? 1 : step < 0 ? -1 : 0;
        slope[static_cast<std::size_t>(b)] += weight / 2 * share * sign;
        slope[static_cast<std::size_t>(a)] -= weight / 2 * share * sign;
      });
      for (std::size_t i = 0; i < slope.size(); ++i)
        put(out[0], static_cast<std::int64_t>(i), slope[i],
            static_cast<bool>(in[TotalVariationBackward::accumulator_input]));
    });
  throw std::logic_error("does not run " + std::string(op.kind()));
}

}  // namespace gramflow::test
