#include "framework/devices/cpu/packed_filters.h"

#include "framework/ops/filter_source.h"

namespace gramflow::cpu {

Filter filter_of(const FilterShape& shape) {
  Filter filter;
  filter.in_channels = shape.in_channels;
  filter.out_channels = shape.out_channels;
  filter.kernel = shape.kernel;
  filter.padding = shape.padding;
  filter.border = shape.border;
  return filter;
}

std::size_t PackedFilters::bytes(const FilterUse& use) const {
  return packed_bytes(filter_of(use.filter->shape()), method_, use.backward);
}

void PackedFilters::acquire(const FilterUse& use) {
  Entry& entry = entries_[use.filter.get()];
  if (entry.packed && (entry.backward || !use.backward)) return;
  const FilterSource::Taps taps = use.filter->taps();
  Filter filter = filter_of(use.filter->shape());
  filter.weights = taps.weights;
  filter.bias = taps.bias;
  entry.packed = nullptr;
  entry.packed = pack_filter(filter, method_, use.backward);
  entry.backward = use.backward;
  entry.source = use.filter;
}

std::shared_ptr<const PackedFilter> PackedFilters::packed(const FilterSource& filter) const {
  return entries_.at(&filter).packed;
}

}  // namespace gramflow::cpu
