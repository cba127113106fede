#pragma once
// The arithmetic of the CPU, as pure functions over channels-last memory: no allocation, no global state, the
// same bits for any number of threads. Every function is a loop of parallel_for over blocks cut by shape; it
// may be called from any thread, several at once, as long as their outputs and scratch do not overlap.
// Pointers need no alignment beyond the element's, but 64-byte alignment is faster.
//
// "scratch" is memory the caller provides, of at least the size the matching *_scratch function returned in
// the same ThreadScope; its contents need not be initialised and mean nothing afterwards.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "framework/devices/cpu/convolution_method.h"
#include "framework/ops/filter_source.h"
#include "framework/ops/gram.h"
#include "framework/ops/pool.h"
#include "framework/tensor/tensor.h"

namespace gramflow::cpu {

using gramflow::Border;
using gramflow::PoolKind;

/// How a convolution reads its weights: OIHW floats as in every weight file, `bias` one float an output
/// channel.
struct Filter {
  const float* weights = nullptr;
  const float* bias = nullptr;
  int in_channels = 0;
  int out_channels = 0;
  int kernel = 3;   ///< odd; 1 or 3 in every VGG
  int padding = 1;  ///< on all four sides
  Border border = Border::zero;
};

/// What a forward convolution leaves behind. Any pointer may be null: what nobody reads is not written.
struct ConvolutionOutputs {
  float* output = nullptr;       ///< H x W x out, after ReLU when `relu`
  std::uint8_t* mask = nullptr;  ///< bits H x W x out: output > 0 (only with relu)
  float* pooled =
      nullptr;  ///< floor(H/2) x floor(W/2) x out: 2x2 max pooling of the ReLU'd output (only with relu)
  std::uint8_t* index =
      nullptr;  ///< with pooled: u8, 0..3 = row*2+column of the first maximum, 4 = maximum is not positive
  bool relu = false;
};

/// What a backward-data convolution reads and writes.
struct ConvolutionGradient {
  /// Gradient of the convolution's own output (before ReLU): H x W x out. Null when it comes through
  /// `pooled`.
  const float* gradient = nullptr;
  /// Gradient of the pooled output, with the index the forward pass left; stands for the H x W x out gradient
  /// that is pooled_gradient at the indexed position and zero elsewhere (index 4: zero everywhere).
  const float* pooled_gradient = nullptr;
  const std::uint8_t* index = nullptr;
  /// Result, H x W x in. With `accumulate` it is added to what is there already. With `mask` (bits H x W x
  /// in), elements whose bit is 0 become 0 after that: ReLU's backward of the layer below.
  float* result = nullptr;
  bool accumulate = false;
  const std::uint8_t* mask = nullptr;
};

/// A convolution prepared for one input size. Immutable after construction; run from any thread.
/// Realisations: Winograd F(4x4,3x3) for 3x3 filters with padding 1; one of its own for those that read at
/// most 4 channels; oneDNN's direct convolution for the rest and as a reference (oneDNN allocates its list of
/// arguments on every call; the others allocate nothing). make_* copies (and prepacks) the weights, for the
/// instruction set that runs; filters of equal content may share a PackedFilter. The number of threads
/// changes how much scratch is wanted, never a bit of the result.
class PackedFilter;  ///< weights in the layout the kernels read; thread-safe to share

using gramflow::ConvolutionMethod;

/// Packs for forward and, when `backward`, for the data gradient. `automatic` picks by shape.
/// Throws std::invalid_argument when `winograd` is asked for a filter it cannot do.
std::shared_ptr<const PackedFilter> pack_filter(const Filter& filter, ConvolutionMethod method,
                                                bool backward);
std::size_t packed_bytes(const Filter& filter_without_pointers, ConvolutionMethod method, bool backward);

class Convolution {
 public:
  virtual ~Convolution() = default;
  virtual std::size_t scratch_bytes() const = 0;
  virtual void forward(const float* input, const ConvolutionOutputs& outputs, void* scratch) const = 0;
  virtual void backward(const ConvolutionGradient& gradient, void* scratch) const = 0;
};
/// `input` is the shape of the convolution's input; the output has the same height and width when padding =
/// kernel/2.
std::unique_ptr<Convolution> make_convolution(std::shared_ptr<const PackedFilter> filter, Shape input);
/// What make_convolution(...)->scratch_bytes() will answer, from shapes alone.
std::size_t convolution_scratch(const Filter& filter_without_pointers, ConvolutionMethod method, Shape input);

// --- ReLU, standing alone (where it could not be fused)
// ---------------------------------------------------------------
void relu(TensorView input, TensorView output, std::uint8_t* mask_or_null);
/// result (+)= gradient where the mask bit is 1, 0 (or what was there) elsewhere.
void relu_backward(TensorView gradient, const std::uint8_t* mask, TensorView result, bool accumulate);

// --- 2x2 stride 2 pooling, floor: an odd last row or column is left out
// ------------------------------------------------
/// index (u8, shape of output) may be null; for maxima it is 0..3 as above (never 4), ties to the first in
/// row order.
void pool(PoolKind kind, TensorView input, TensorView output, std::uint8_t* index_or_null);
void pool_backward(PoolKind kind, TensorView gradient, const std::uint8_t* index, TensorView result,
                   bool accumulate);

// --- Gram matrix: G = F^T F / (C H W) over pixels, F is (H W) x C. At most most_gram_channels.
// ------------------------------------------------------
using gramflow::most_gram_channels;
std::size_t gram_scratch(Shape features);
/// gram is C x C, exactly symmetric. Sums go by the squares of rectangles.h: in float within one, in double
/// above, and are rounded to float once.
void gram(TensorView features, TensorView gram, void* scratch);
std::size_t gram_backward_scratch(Shape features);
/// result (+)= F (D + D^T) / (C H W), D the C x C gradient of G (not assumed symmetric). `result` may be the
/// very memory of `features` (then without accumulate).
void gram_backward(TensorView features, TensorView gram_gradient, TensorView result, bool accumulate,
                   void* scratch);

// --- losses: sums in double, by the squares of rectangles.h
// -------------------------------------------------------------------------------
std::size_t squared_error_scratch(Shape shape);
/// weight * mean((a - b)^2)
double squared_error(TensorView a, TensorView b, double weight, void* scratch);
/// result (+)= scale * 2 * weight * (a - b) / elements; `result` may be the very memory of a (without
/// accumulate).
void squared_error_backward(TensorView a, TensorView b, double weight, TensorView result, bool accumulate);
std::size_t total_variation_scratch(Shape shape);
/// weight/2 * (mean |a[y+1] - a[y]| + mean |a[x+1] - a[x]|) over all channels; a mean over nothing (one row
/// or column) is 0.
double total_variation(TensorView a, double weight, void* scratch);
/// result (+)= its gradient; sign(0) = 0.
void total_variation_backward(TensorView a, double weight, TensorView result, bool accumulate);

/// What the machine's cores can do: the instruction set the kernels chose ("AVX-512", "AVX2", "SSE4" or
/// "portable") and, measured on the spot for about `seconds`, the fused multiply-add peak of one thread in
/// GFLOP/s.
const char* instruction_set();
double measure_fma_peak_gflops(double seconds);

}  // namespace gramflow::cpu
