// Matrix products C = A B for a few rows of A and a panel of B, the heart of every convolution and Gram
// matrix here. A tile of C (6 x 64 with AVX-512, 6 x 16 with AVX2) stays in registers while the common
// dimension runs: one vector load a column of the tile, one broadcast a row, one fused multiply-add an
// element. Every element of C is one chain of multiply-adds in the order of the common dimension, whatever
// tile it falls into: its bits depend on nothing else.
#if defined(GRAMFLOW_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRAMFLOW_PRODUCT_INL_H_
#undef GRAMFLOW_PRODUCT_INL_H_
#else
#define GRAMFLOW_PRODUCT_INL_H_
#endif

#include <type_traits>

#include "framework/devices/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

#if HWY_TARGET <= HWY_AVX3
inline constexpr int tile_vectors = 4;  // 6 x 4 sums, 4 columns and a broadcast, of 32 registers
#else
inline constexpr int tile_vectors = 2;
#endif

/// Rows of a tile of `vectors` columns: as many as the registers hold.
inline constexpr int tile_rows(int vectors) {
#if HWY_TARGET <= HWY_AVX3
  return vectors == 4 ? 6 : vectors == 3 ? 8 : 12;
#elif HWY_TARGET == HWY_AVX2
  return vectors == 2 ? 6 : 10;
#else
  return vectors == 2 ? 4 : 6;
#endif
}

/// Where the operands lie. Element (i, k) of A is a[i * row_step + k * depth_step]; rows of B and C are
/// contiguous.
struct Operands {
  const float* a;
  std::size_t a_row_step;
  std::size_t a_depth_step;
  const float* b;
  std::size_t b_stride;
  float* c;
  std::size_t c_stride;
  std::size_t depth;
  /// The depth may come in `segments` runs of `depth`; A continues a_segment_step further than the last one
  /// began, B b_segment_step after its next row.
  std::size_t segments = 1;
  std::size_t a_segment_step = 0;
  std::size_t b_segment_step = 0;
};

/// C = AB; C continues as the chain's first term; or C plus the whole chain.
enum class Target { overwrite, add, add_at_end };

/// `rows` x `vectors` tile. `transposed`: the rows of A are contiguous (row_step 1), else its depth is
/// (depth_step 1).
template <int rows, int vectors, bool transposed, Target target>
HWY_INLINE void product_tile(const Operands& o, std::size_t row, std::size_t column) {
  const Floats d;
  const std::size_t n = hn::Lanes(d);
  const float* HWY_RESTRICT a = o.a + row * (transposed ? 1 : o.a_row_step);
  const float* HWY_RESTRICT b = o.b + column;
  float* HWY_RESTRICT c = o.c + row * o.c_stride + column;
  FloatVector sum[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j)
      sum[i][j] =
          target == Target::add
              ? hn::LoadU(d, c + static_cast<std::size_t>(i) * o.c_stride + static_cast<std::size_t>(j) * n)
              : hn::Zero(d);
  const std::size_t row_step = o.a_row_step;
  for (std::size_t segment = 0; segment < o.segments;
       ++segment, a += o.a_segment_step, b += o.b_segment_step) {
    const float* HWY_RESTRICT left_values = a;
    const auto step = [&]() HWY_ATTR {
      FloatVector right[vectors];
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) right[j] = hn::LoadU(d, b + static_cast<std::size_t>(j) * n);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const FloatVector left =
            hn::Set(d, transposed ? left_values[i] : left_values[static_cast<std::size_t>(i) * row_step]);
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) sum[i][j] = hn::MulAdd(left, right[j], sum[i][j]);
      }
      left_values += transposed ? o.a_depth_step : 1;
      b += o.b_stride;
    };
    for (std::size_t k = 0; k < o.depth; ++k) step();
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) {
      float* to = c + static_cast<std::size_t>(i) * o.c_stride + static_cast<std::size_t>(j) * n;
      hn::StoreU(target == Target::add_at_end ? hn::Add(hn::LoadU(d, to), sum[i][j]) : sum[i][j], d, to);
    }
}

/// All rows of a column of tiles. What the full tiles leave over is done in ever smaller ones.
template <int rows, int vectors, bool transposed, Target target>
HWY_INLINE void product_column(const Operands& o, std::size_t row, std::size_t row_end, std::size_t column) {
  for (; row + rows <= row_end; row += rows) product_tile<rows, vectors, transposed, target>(o, row, column);
  if constexpr (rows > 1) {
    if (row < row_end) product_column<rows / 2, vectors, transposed, target>(o, row, row_end, column);
  }
}

/// Rows [0, rows) and `width` columns of C, a multiple of 16.
template <bool transposed, Target target>
HWY_NOINLINE void product(const Operands& o, std::size_t rows, std::size_t width) {
  const std::size_t n = lanes();
  std::size_t column = 0;
  const auto columns = [&](auto count) {
    constexpr int vectors = count.value;
    for (; column + vectors * n <= width; column += vectors * n)
      product_column<tile_rows(vectors), vectors, transposed, target>(o, 0, rows, column);
  };
  columns(std::integral_constant<int, tile_vectors>());
  if constexpr (tile_vectors > 3) columns(std::integral_constant<int, 3>());
  if constexpr (tile_vectors > 2) columns(std::integral_constant<int, 2>());
  columns(std::integral_constant<int, 1>());
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
