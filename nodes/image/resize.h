#pragma once
// Which size a picture gets, and making it that size.
#include <span>
#include <string_view>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow {

/// What a person asked for: nothing (all zero: the picture's own size), the longest side, or exact width and
/// height.
struct WantedSize {
  int longest = 0;
  int width = 0;
  int height = 0;
  static WantedSize longest_side(int pixels) { return {pixels, 0, 0}; }
  static WantedSize exactly(int width, int height) { return {0, width, height}; }
  bool operator==(const WantedSize&) const = default;
};

/// Longest side: that side becomes exactly `longest` (larger or smaller than it was), the other keeps the
/// aspect, rounded to the nearest pixel (halves up), at least 1. Exact: as asked, the aspect may change.
/// `picture` must be at least 1x1.
PictureSize target_size(const WantedSize& wanted, PictureSize picture);

enum class ResizeFilter {
  nearest,   ///< the pixel under the centre of the new one
  box,       ///< area average when shrinking, nearest when enlarging
  triangle,  ///< bilinear; when shrinking, widened so that nothing aliases (Pillow's BILINEAR, torch's
             ///< antialias=True)
  cubic,     ///< Catmull-Rom (a = -0.5); sharper, overshoots at edges
  lanczos3,  ///< sharpest, overshoots a little more
};
/// "triangle" and so on; nullptr-free: every filter has a name.
std::string_view name_of(ResizeFilter filter);

/// One resize made ready: the weights are computed here, once, so that run() only multiplies and adds.
/// Pixel centres lie at half integers; at borders the filter is cut off and its weights scaled to sum to one.
/// Immutable after construction; run() may be called from several threads with different memory. Same bits
/// for any thread count.
class Resizer {
 public:
  Resizer(PictureSize from, PictureSize to, ResizeFilter filter = ResizeFilter::triangle);
  PictureSize from() const { return from_; }
  PictureSize to() const { return to_; }
  /// Floats of scratch memory that run() needs.
  std::size_t scratch_floats() const { return scratch_floats_; }
  /// `from` and `to` hold from().floats() and to().floats() values and do not overlap. Starts one
  /// parallel_for after another, so it must not be called from the body of one. Allocates nothing.
  void run(std::span<const float> from, std::span<float> to, std::span<float> scratch) const;

 private:
  // Output i is the sum of weights[i * taps + k] * input[first[i] + k]; unused taps weigh zero and stay
  // inside the input.
  struct Axis {
    int taps = 0;
    std::vector<int> first;
    std::vector<float> weights;
  };
  static Axis make_axis(int from, int to, ResizeFilter filter);

  PictureSize from_;
  PictureSize to_;
  Axis horizontal_;
  Axis vertical_;
  std::size_t scratch_floats_ = 0;
};

/// Convenience: makes a Resizer, runs it, owns everything. The same size gives an exact copy.
Picture resize(const Picture& picture, PictureSize to, ResizeFilter filter = ResizeFilter::triangle);

}  // namespace gramflow
