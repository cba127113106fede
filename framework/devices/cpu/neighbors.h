#pragma once
// Nearest neighbours by cosine between sampled positions of two sets of feature maps, and what lies between
// them. Same contract as kernels.h: no allocation, the same bits for any number of threads. Scratch depends
// on shapes alone.
#include <cstddef>
#include <cstdint>
#include <span>

#include "framework/ops/lattice.h"
#include "framework/tensor/tensor.h"

namespace gramflow::cpu {

using gramflow::Lattice;
using gramflow::NeighborSizes;

std::size_t neighbor_scratch(const NeighborSizes& sizes);

/// What neighbor_loss() compares: sampled positions of a map.
struct SampledMap {
  TensorView map;
  Lattice lattice;
};

/// weight * mean over the canvas's positions of 1 - cosine to the nearest position of the targets, features
/// centred with the mean of their own set (all targets are one set). Ties go to the target, row and column
/// that come first. A feature shorter than 1e-4 is divided by that instead of its length. `gradient` may be
/// null: rows of channels, one a sampled position in row order, the derivative with respect to the canvas's
/// features, matches held fixed.
double neighbor_loss(const SampledMap& canvas, std::span<const SampledMap> targets,
                     const NeighborSizes& sizes, double weight, float* gradient, void* scratch);

/// Brings the rows that neighbor_loss() left back to their positions: result (+)= them, 0 elsewhere.
void scatter_rows(const float* rows, const Lattice& lattice, TensorView result, bool accumulate);

}  // namespace gramflow::cpu
