#pragma once
// The filters that a CPU device has packed, kept for later plans of the same networks.
#include <map>
#include <memory>

#include "framework/devices/cpu/kernels.h"
#include "framework/devices/device.h"

namespace gramflow::cpu {

class PackedFilters {
 public:
  explicit PackedFilters(ConvolutionMethod method) : method_(method) {}
  ConvolutionMethod method() const { return method_; }
  std::size_t bytes(const FilterUse& use) const;
  /// Reads and packs unless it has been done. One that was packed for going forward only is packed again.
  void acquire(const FilterUse& use);
  /// Only after acquire().
  std::shared_ptr<const PackedFilter> packed(const FilterSource& filter) const;

 private:
  struct Entry {
    std::shared_ptr<const FilterSource> source;  // so that its address stays its own
    std::shared_ptr<const PackedFilter> packed;
    bool backward = false;
  };
  ConvolutionMethod method_;
  std::map<const FilterSource*, Entry> entries_;
};

/// Shape without taps, as the kernels take it.
Filter filter_of(const FilterShape& shape);

}  // namespace gramflow::cpu
