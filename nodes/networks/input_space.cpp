#include "nodes/networks/input_space.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gramflow {

InputSpace input_space(const Network& network) {
  const InputConvention& input = network.input;
  const InputRange range = input_range(input);
  InputSpace space;
  space.convention =
      fmt::format("{} x {} minus ({}) over ({})", input.order == ChannelOrder::rgb ? "RGB" : "BGR",
                  input.scale, fmt::join(input.mean, ", "), fmt::join(input.std, ", "));
  space.low = range.low;
  space.high = range.high;
  space.from_picture = network_from_picture(input);
  space.to_picture = picture_from_network(input);
  return space;
}

}  // namespace gramflow
