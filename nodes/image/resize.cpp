// Separable resampling, the way Pillow and torch (antialias=True) do it.
//
// Output pixel i looks at the input around c = (i + 0.5) * from / to. The filter is a function of distance
// with a support (triangle: 1); when shrinking, both are stretched by from / to, so that every input pixel
// counts and nothing aliases. The weights of the pixels inside the support, taken at their centres, are
// scaled to sum to one, which also deals with the borders. Weights are computed in double once; rows are then
// filtered along x into scratch memory, and the scratch along y. Each output value is one sum in increasing
// input order, so the cut into parallel rows cannot change a bit.
#include "nodes/image/resize.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "framework/base/parallel.h"

namespace gramflow {
namespace {

double sinc(double x) {
  if (x == 0) return 1;
  const double angle = std::numbers::pi * x;
  return std::sin(angle) / angle;
}

double support(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::nearest:
    case ResizeFilter::box:
      return 0.5;
    case ResizeFilter::triangle:
      return 1;
    case ResizeFilter::cubic:
      return 2;
    case ResizeFilter::lanczos3:
      return 3;
  }
  return 1;
}

double weight_at(ResizeFilter filter, double x) {
  const double d = std::abs(x);
  switch (filter) {
    case ResizeFilter::nearest:
    case ResizeFilter::box:
      return x >= -0.5 && x < 0.5 ? 1 : 0;
    case ResizeFilter::triangle:
      return std::max(0.0, 1 - d);
    case ResizeFilter::cubic: {  // Keys 1981 with a = -0.5
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2;
      return 0;
    }
    case ResizeFilter::lanczos3:
      return d < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

}  // namespace

PictureSize target_size(const WantedSize& wanted, PictureSize picture) {
  assert(picture.width > 0 && picture.height > 0);
  if (wanted.width > 0 && wanted.height > 0) return {wanted.width, wanted.height};
  if (wanted.longest <= 0) return picture;
  const std::int64_t longest = std::max(picture.width, picture.height);
  const auto scaled = [&](std::int64_t side) {  // round(side * wanted / longest) in whole numbers, halves up
    return static_cast<int>(std::max<std::int64_t>(1, (2 * side * wanted.longest + longest) / (2 * longest)));
  };
  return {scaled(picture.width), scaled(picture.height)};
}

std::string_view name_of(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::nearest:
      return "nearest";
    case ResizeFilter::box:
      return "box";
    case ResizeFilter::triangle:
      return "triangle";
    case ResizeFilter::cubic:
      return "cubic";
    case ResizeFilter::lanczos3:
      return "lanczos3";
  }
  return "";
}

Resizer::Axis Resizer::make_axis(int from, int to, ResizeFilter filter) {
  const double scale = static_cast<double>(from) / to;
  const double stretch = std::max(1.0, scale);
  const double reach = support(filter) * stretch;
  Axis axis;
  axis.first.resize(static_cast<std::size_t>(to));
  std::vector<std::vector<double>> rows(static_cast<std::size_t>(to));
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    auto& row = rows[static_cast<std::size_t>(i)];
    int begin = std::clamp(static_cast<int>(std::floor(centre)), 0, from - 1);
    if (filter != ResizeFilter::nearest) {
      const int low = std::clamp(static_cast<int>(std::floor(centre - reach)), 0, from - 1);
      const int high = std::clamp(static_cast<int>(std::ceil(centre + reach)), low + 1, from);
      double sum = 0;
      for (int k = low; k < high; ++k) {
        row.push_back(weight_at(filter, (k + 0.5 - centre) / stretch));
        sum += row.back();
      }
      if (sum > 0) begin = low;
      for (double& w : row) w /= sum;
      if (!(sum > 0)) row.clear();
    }
    if (row.empty()) row.push_back(1);
    const auto is_zero = [](double w) { return w == 0; };
    while (row.size() > 1 && is_zero(row.back())) row.pop_back();
    while (row.size() > 1 && is_zero(row.front())) row.erase(row.begin()), ++begin;
    axis.first[static_cast<std::size_t>(i)] = begin;
    axis.taps = std::max(axis.taps, static_cast<int>(row.size()));
  }
  // Every output gets the same number of taps; a short one near the far border starts earlier so that reading
  // stays inside.
  const auto taps = static_cast<std::size_t>(axis.taps);
  axis.weights.assign(static_cast<std::size_t>(to) * taps, 0.0F);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int first = std::min(axis.first[i], from - axis.taps);
    const auto skipped = static_cast<std::size_t>(axis.first[i] - first);
    for (std::size_t k = 0; k < rows[i].size(); ++k)
      axis.weights[i * taps + skipped + k] = static_cast<float>(rows[i][k]);
    axis.first[i] = first;
  }
  return axis;
}

Resizer::Resizer(PictureSize from, PictureSize to, ResizeFilter filter)
    : from_(from),
      to_(to),
      horizontal_(make_axis(from.width, to.width, filter)),
      vertical_(make_axis(from.height, to.height, filter)),
      scratch_floats_(PictureSize{to.width, from.height}.floats()) {}

void Resizer::run(std::span<const float> from, std::span<float> to, std::span<float> scratch) const {
  assert(from.size() == from_.floats() && to.size() == to_.floats() && scratch.size() >= scratch_floats_);
  const auto in_row = static_cast<std::size_t>(from_.width) * 3;
  const auto out_row = static_cast<std::size_t>(to_.width) * 3;

  parallel_for(from_.height, [&](std::int64_t y, int) {
    const float* in = from.data() + static_cast<std::size_t>(y) * in_row;
    float* out = scratch.data() + static_cast<std::size_t>(y) * out_row;
    const auto taps = static_cast<std::size_t>(horizontal_.taps);
    for (std::size_t x = 0; x < horizontal_.first.size(); ++x) {
      const float* pixels = in + static_cast<std::size_t>(horizontal_.first[x]) * 3;
      const float* weights = horizontal_.weights.data() + x * taps;
      float r = 0;
      float g = 0;
      float b = 0;
      for (std::size_t k = 0; k < taps; ++k) {
        r += weights[k] * pixels[3 * k];
        g += weights[k] * pixels[3 * k + 1];
        b += weights[k] * pixels[3 * k + 2];
      }
      out[3 * x] = r;
      out[3 * x + 1] = g;
      out[3 * x + 2] = b;
    }
  });

  parallel_for(to_.height, [&](std::int64_t y, int) {
    float* out = to.data() + static_cast<std::size_t>(y) * out_row;
    const auto taps = static_cast<std::size_t>(vertical_.taps);
    const auto row = static_cast<std::size_t>(y);
    std::fill_n(out, out_row, 0.0F);
    for (std::size_t k = 0; k < taps; ++k) {
      const float weight = vertical_.weights[row * taps + k];
      const float* in = scratch.data() + (static_cast<std::size_t>(vertical_.first[row]) + k) * out_row;
      for (std::size_t i = 0; i < out_row; ++i) out[i] += weight * in[i];
    }
  });
}

Picture resize(const Picture& picture, PictureSize to, ResizeFilter filter) {
  if (to == picture.size()) return picture;
  const Resizer resizer(picture.size(), to, filter);
  std::vector<float> scratch(resizer.scratch_floats());
  Picture result(to);
  resizer.run(picture.rgb, result.rgb, scratch);
  return result;
}

}  // namespace gramflow
