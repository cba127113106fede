// Nearest neighbours in four steps, each a loop over blocks of rows or channels:
//   gather     the sampled positions of the canvas (N rows) and of all targets (M rows)
//   normalise  subtract the mean row of the set, divide by the length
//   match      blocks of canvas rows against panels of targets; only the running maximum is kept
//   gradient   a row a position, then minus their mean: what centring does going back
// The search multiplies N x M x channels; a grid bounds N and M whatever the maps' size. Targets are kept
// twice, as rows for the gradient and transposed for the product. Sums are in double and in row order.
#include "framework/devices/cpu/neighbors.h"

#include <algorithm>
#include <cmath>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/neighbor_kernels.h"

namespace gramflow::cpu {
namespace {

constexpr double shortest = 1e-4;
constexpr std::int64_t block_rows = static_cast<std::int64_t>(neighbor_rows);
constexpr std::int64_t block_channels = 16;

std::int64_t padded(std::int64_t count) { return divide_up(count, 16) * 16; }

/// The parts of the scratch memory.
struct Memory {
  float* canvas = nullptr;      ///< N x C: sampled, then centred, then of length 1
  float* targets = nullptr;     ///< M x C
  float* transposed = nullptr;  ///< C x M padded to 16
  float* lengths = nullptr;     ///< N
  float* mean = nullptr;        ///< C
  double* distances = nullptr;  ///< N
  std::int32_t* best = nullptr;
  std::size_t bytes = 0;

  Memory(const NeighborSizes& sizes, void* scratch) {
    take(scratch, canvas, sizes.canvas * sizes.channels);
    take(scratch, targets, sizes.targets * sizes.channels);
    take(scratch, transposed, padded(sizes.targets) * sizes.channels);
    take(scratch, lengths, sizes.canvas);
    take(scratch, mean, sizes.channels);
    take(scratch, distances, sizes.canvas);
    take(scratch, best, sizes.canvas);
  }

 private:
  template <class T>
  void take(void* scratch, T*& part, std::int64_t count) {
    if (scratch != nullptr) part = reinterpret_cast<T*>(static_cast<char*>(scratch) + bytes);
    bytes += align_up(static_cast<std::size_t>(count) * sizeof(T));
  }
};

/// Returns how many rows that were.
std::int64_t gather(const SampledMap& from, float* to) {
  const Shape map = from.map.shape();
  const Shape taken = lattice_shape(map, from.lattice);
  parallel_for(taken.height, [&](std::int64_t y, int) {
    const float* row =
        from.map.f32() +
        ((from.lattice.row + y * from.lattice.stride) * map.width + from.lattice.column) * map.channels;
    for (std::int64_t x = 0; x < taken.width; ++x)
      std::copy_n(row + x * from.lattice.stride * map.channels, map.channels,
                  to + (y * taken.width + x) * map.channels);
  });
  return taken.pixels();
}

void mean_row(const float* rows, std::int64_t count, std::int64_t channels, float* mean) {
  parallel_for(divide_up(channels, block_channels), [&](std::int64_t block, int) {
    const std::int64_t first = block * block_channels;
    const std::int64_t width = std::min(block_channels, channels - first);
    double sums[block_channels] = {};
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t c = 0; c < width; ++c) sums[c] += static_cast<double>(rows[i * channels + first + c]);
    for (std::int64_t c = 0; c < width; ++c)
      mean[first + c] = static_cast<float>(sums[c] / static_cast<double>(count));
  });
}

/// Centres a row and divides it by its length, which is returned; never by less than `shortest`.
float normalise_row(float* row, const float* mean, std::int64_t channels) {
  double squares = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    row[c] -= mean[c];
    squares += static_cast<double>(row[c]) * static_cast<double>(row[c]);
  }
  const auto length = static_cast<float>(std::sqrt(squares));
  const float factor = 1.0F / std::max(length, static_cast<float>(shortest));
  for (std::int64_t c = 0; c < channels; ++c) row[c] *= factor;
  return length;
}

void normalise_canvas(std::int64_t count, std::int64_t channels, const Memory& memory) {
  mean_row(memory.canvas, count, channels, memory.mean);
  parallel_for(divide_up(count, block_rows), [&](std::int64_t block, int) {
    for (std::int64_t i = block * block_rows; i < std::min(count, (block + 1) * block_rows); ++i)
      memory.lengths[i] = normalise_row(memory.canvas + i * channels, memory.mean, channels);
  });
}

void normalise_targets(std::int64_t count, std::int64_t channels, const Memory& memory) {
  mean_row(memory.targets, count, channels, memory.mean);
  const std::int64_t stride = padded(count);
  parallel_for(stride / 16, [&](std::int64_t block, int) {
    const std::int64_t first = block * 16;
    const std::int64_t rows = std::min<std::int64_t>(16, count - first);
    for (std::int64_t j = 0; j < rows; ++j)
      normalise_row(memory.targets + (first + j) * channels, memory.mean, channels);
    for (std::int64_t c = 0; c < channels; ++c) {
      float* to = memory.transposed + c * stride + first;
      for (std::int64_t j = 0; j < rows; ++j) to[j] = memory.targets[(first + j) * channels + c];
      for (std::int64_t j = rows; j < 16; ++j) to[j] = 0;
    }
  });
}

/// Distance of a canvas row to its match, and with `gradient` its derivative with respect to the centred row.
double compare_row(const float* u, const float* v, float length, std::int64_t channels, double scale,
                   float* gradient) {
  double cosine = 0;
  for (std::int64_t c = 0; c < channels; ++c) cosine += static_cast<double>(u[c]) * static_cast<double>(v[c]);
  if (gradient != nullptr) {
    const bool whole = static_cast<double>(length) > shortest;  // a shorter one is only scaled
    const double along = whole ? cosine : 0.0;
    const double factor = -scale / std::max(static_cast<double>(length), shortest);
    for (std::int64_t c = 0; c < channels; ++c)
      gradient[c] =
          static_cast<float>(factor * (static_cast<double>(v[c]) - along * static_cast<double>(u[c])));
  }
  return 1 - cosine;
}

void subtract_mean_row(float* rows, std::int64_t count, std::int64_t channels, float* mean) {
  mean_row(rows, count, channels, mean);
  parallel_for(divide_up(count, block_rows), [&](std::int64_t block, int) {
    for (std::int64_t i = block * block_rows; i < std::min(count, (block + 1) * block_rows); ++i)
      for (std::int64_t c = 0; c < channels; ++c) rows[i * channels + c] -= mean[c];
  });
}

}  // namespace

std::size_t neighbor_scratch(const NeighborSizes& sizes) { return Memory(sizes, nullptr).bytes; }

double neighbor_loss(const SampledMap& canvas, std::span<const SampledMap> targets,
                     const NeighborSizes& sizes, double weight, float* gradient, void* scratch) {
  const Memory memory(sizes, scratch);
  const std::int64_t channels = sizes.channels;
  const std::int64_t positions = gather(canvas, memory.canvas);
  std::int64_t candidates = 0;
  for (const SampledMap& target : targets)
    candidates += gather(target, memory.targets + candidates * channels);
  normalise_canvas(positions, channels, memory);
  normalise_targets(candidates, channels, memory);

  const double scale = weight / static_cast<double>(positions);
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  parallel_for(divide_up(positions, block_rows), [&](std::int64_t block, int) {
    const std::int64_t first = block * block_rows;
    const std::int64_t last = std::min(positions, first + block_rows);
    best_candidates(memory.canvas + first * channels, size(last - first), size(channels), memory.transposed,
                    size(candidates), size(padded(candidates)), memory.best + first);
    for (std::int64_t i = first; i < last; ++i)
      memory.distances[i] = compare_row(
          memory.canvas + i * channels, memory.targets + memory.best[i] * channels, memory.lengths[i],
          channels, scale, gradient != nullptr ? gradient + i * channels : nullptr);
  });
  if (gradient != nullptr) subtract_mean_row(gradient, positions, channels, memory.mean);
  double sum = 0;
  for (std::int64_t i = 0; i < positions; ++i) sum += memory.distances[i];
  return scale * sum;
}

void scatter_rows(const float* rows, const Lattice& lattice, TensorView result, bool accumulate) {
  const Shape map = result.shape();
  const Shape taken = lattice_shape(map, lattice);
  parallel_for(map.height, [&](std::int64_t y, int) {
    float* to = result.f32() + y * map.width * map.channels;
    if (!accumulate) std::fill_n(to, map.width * map.channels, 0.0F);
    if (y < lattice.row || (y - lattice.row) % lattice.stride != 0) return;
    const float* from = rows + (y - lattice.row) / lattice.stride * taken.width * map.channels;
    for (std::int64_t x = 0; x < taken.width; ++x) {
      float* pixel = to + (lattice.column + x * lattice.stride) * map.channels;
      for (std::int64_t c = 0; c < map.channels; ++c) pixel[c] += from[x * map.channels + c];
    }
  });
}

}  // namespace gramflow::cpu
