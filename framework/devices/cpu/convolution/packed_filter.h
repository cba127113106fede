#pragma once
// Inside of framework/devices/cpu: what every packed filter knows, and the two ways to compute with one.
#include <memory>
#include <vector>

#include "framework/devices/cpu/kernels.h"

namespace gramflow::cpu {

class PackedFilter {
 public:
  virtual ~PackedFilter() = default;
  /// Shape, padding and border; its pointers are null.
  const Filter& filter() const { return filter_; }
  bool has_backward() const { return backward_; }
  virtual std::unique_ptr<Convolution> prepare(std::shared_ptr<const PackedFilter> self,
                                               Shape input) const = 0;

 protected:
  PackedFilter(const Filter& filter, bool backward) : filter_(filter), backward_(backward) {
    filter_.weights = filter_.bias = nullptr;
  }

 private:
  Filter filter_;
  bool backward_;
};

/// Height and width of what the filter makes from `input`.
inline Shape convolved_shape(const Filter& filter, Shape input) {
  const std::int64_t change = 2 * std::int64_t{filter.padding} - filter.kernel + 1;
  return {input.height + change, input.width + change, filter.out_channels};
}

}  // namespace gramflow::cpu
