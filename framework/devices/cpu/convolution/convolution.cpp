// Which realisation a convolution gets.
#include <stdexcept>
#include <string>

#include "framework/devices/cpu/convolution/direct_convolution.h"
#include "framework/devices/cpu/convolution/narrow_convolution.h"
#include "framework/devices/cpu/convolution/packed_filter.h"
#include "framework/devices/cpu/convolution/winograd_convolution.h"
#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

namespace {
void check(const Filter& filter) {
  const auto refuse = [](const std::string& what) { throw std::invalid_argument("convolution: " + what); };
  if (filter.in_channels < 1 || filter.out_channels < 1)
    refuse("needs at least one channel on both sides, found " + std::to_string(filter.in_channels) + " and " +
           std::to_string(filter.out_channels));
  if (filter.kernel < 1 || filter.kernel % 2 == 0)
    refuse("needs an odd kernel size, found " + std::to_string(filter.kernel));
  if (filter.padding < 0 || filter.padding >= filter.kernel)
    refuse("needs a padding of 0 to " + std::to_string(filter.kernel - 1) + " for a kernel of " +
           std::to_string(filter.kernel) + ", found " + std::to_string(filter.padding));
}

bool winograd_can(const Filter& filter) { return filter.kernel == 3 && filter.padding == 1; }

/// One way to compute a convolution.
struct Realisation {
  std::shared_ptr<const PackedFilter> (*pack)(const Filter&, bool backward);
  std::size_t (*packed_bytes)(const Filter&, bool backward);
  std::size_t (*scratch)(const Filter&, Shape input);
};
constexpr Realisation direct{pack_direct, direct_packed_bytes, direct_scratch};
constexpr Realisation winograd{pack_winograd, winograd_packed_bytes, winograd_scratch};
constexpr Realisation narrow{pack_narrow, narrow_packed_bytes, narrow_scratch};

const Realisation& choose(const Filter& filter, ConvolutionMethod method) {
  check(filter);
  if (method == ConvolutionMethod::direct) return direct;
  if (method == ConvolutionMethod::automatic)
    return narrow_can(filter) ? narrow : winograd_can(filter) ? winograd : direct;
  if (winograd_can(filter)) return winograd;
  const std::string kernel = std::to_string(filter.kernel);
  throw std::invalid_argument("convolution: Winograd needs a 3x3 kernel with padding 1, found " + kernel +
                              "x" + kernel + " with padding " + std::to_string(filter.padding) +
                              "; use the direct method");
}
}  // namespace

std::shared_ptr<const PackedFilter> pack_filter(const Filter& filter, ConvolutionMethod method,
                                                bool backward) {
  return choose(filter, method).pack(filter, backward);
}

std::size_t packed_bytes(const Filter& filter, ConvolutionMethod method, bool backward) {
  return choose(filter, method).packed_bytes(filter, backward);
}

std::unique_ptr<Convolution> make_convolution(std::shared_ptr<const PackedFilter> filter, Shape input) {
  const Shape output = convolved_shape(filter->filter(), input);
  if (input.channels != filter->filter().in_channels || output.height < 1 || output.width < 1)
    throw std::invalid_argument("convolution: a " + std::to_string(filter->filter().kernel) + "x" +
                                std::to_string(filter->filter().kernel) + " filter for " +
                                std::to_string(filter->filter().in_channels) + " channels cannot read " +
                                input.to_string());
  const PackedFilter& packed = *filter;
  return packed.prepare(std::move(filter), input);
}

std::size_t convolution_scratch(const Filter& filter, ConvolutionMethod method, Shape input) {
  return choose(filter, method).scratch(filter, input);
}

}  // namespace gramflow::cpu
