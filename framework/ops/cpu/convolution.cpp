// Which realisation a convolution gets.
#include <stdexcept>
#include <string>

#include "framework/ops/cpu/direct_convolution.h"
#include "framework/ops/cpu/kernels.h"
#include "framework/ops/cpu/packed_filter.h"

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
}  // namespace

std::shared_ptr<const PackedFilter> pack_filter(const Filter& filter, ConvolutionMethod, bool backward) {
  check(filter);
  return pack_direct(filter, backward);
}

std::size_t packed_bytes(const Filter& filter, ConvolutionMethod, bool backward) {
  check(filter);
  return direct_packed_bytes(filter, backward);
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

std::size_t convolution_scratch(const Filter& filter, ConvolutionMethod, Shape input) {
  check(filter);
  return direct_scratch(filter, input);
}

}  // namespace gramflow::cpu
