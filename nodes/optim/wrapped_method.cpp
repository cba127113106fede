#include "nodes/optim/wrapped_method.h"

#include <fmt/format.h>

#include <stdexcept>

namespace gramflow {

void WrappedMethod::restore_state(const OptimizerState& saved) {
  OptimizerState own = own_state();
  const std::string head = own.layout + " of ";
  if (!saved.layout.starts_with(head))
    throw std::invalid_argument(
        fmt::format("the saved state is '{}'; this run needs '{}...'", saved.layout, head));
  if (saved.counts.size() < own.counts.size() || saved.numbers.size() < own.numbers.size())
    throw std::invalid_argument(
        fmt::format("the saved state '{}' does not have as many numbers as it should", saved.layout));
  OptimizerState rest{saved.layout.substr(head.size()), saved.counts, saved.numbers};
  const auto split = [](auto& all, auto& last) {
    std::copy(all.end() - static_cast<std::ptrdiff_t>(last.size()), all.end(), last.begin());
    all.resize(all.size() - last.size());
  };
  split(rest.counts, own.counts);
  split(rest.numbers, own.numbers);
  inner_->restore_state(rest);
  take_own_state(own);
}

}  // namespace gramflow
