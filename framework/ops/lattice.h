#pragma once
// Positions that are sampled from a map for the nearest-neighbour loss.
#include <algorithm>
#include <cstdint>

#include "framework/tensor/tensor.h"

namespace gramflow {

/// Every stride-th position of a map, from (row, column) on.
struct Lattice {
  std::int64_t stride = 1;
  std::int64_t row = 0;     ///< in [0, stride)
  std::int64_t column = 0;  ///< in [0, stride)
};

/// How many positions at most: of the canvas, and of all targets together.
struct NeighborSizes {
  std::int64_t canvas = 0;
  std::int64_t targets = 0;
  std::int64_t channels = 0;
};

/// max(1, longest side / grid), so that a map has fewer than (2 grid)^2 sampled positions.
inline std::int64_t lattice_stride(Shape map, std::int64_t grid) {
  return std::max<std::int64_t>(1, std::max(map.height, map.width) / grid);
}

/// Rows and columns of a lattice on a map.
inline Shape lattice_shape(Shape map, const Lattice& lattice) {
  return {(map.height - lattice.row + lattice.stride - 1) / lattice.stride,
          (map.width - lattice.column + lattice.stride - 1) / lattice.stride, map.channels};
}
/// The most positions that any lattice of this stride has on the map: those of the one from (0, 0).
inline Shape largest_lattice(Shape map, std::int64_t stride) { return lattice_shape(map, {stride, 0, 0}); }

}  // namespace gramflow
