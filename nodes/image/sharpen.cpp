#include "nodes/image/sharpen.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "framework/base/parallel.h"

namespace gramflow {

Sharpener::Sharpener(PictureSize size, double radius, double amount)
    : size_(size), amount_(static_cast<float>(amount)) {
  const int reach = static_cast<int>(std::ceil(3 * radius));
  std::vector<double> weights;
  double sum = 0;
  for (int k = 0; k <= reach; ++k) {
    weights.push_back(std::exp(-0.5 * k * k / (radius * radius)));
    sum += k == 0 ? weights.back() : 2 * weights.back();
  }
  for (const double weight : weights) weights_.push_back(static_cast<float>(weight / sum));
}

void Sharpener::run(std::span<const float> from, std::span<float> to, std::span<float> scratch) const {
  assert(from.size() == size_.floats() && to.size() == from.size() && scratch.size() >= from.size());
  const int width = size_.width;
  const int height = size_.height;
  const auto reach = static_cast<int>(weights_.size()) - 1;
  const auto row_floats = static_cast<std::size_t>(width) * 3;
  const auto row_of = [&](auto pixels, int y) {
    return pixels.data() + static_cast<std::size_t>(std::clamp(y, 0, height - 1)) * row_floats;
  };

  parallel_for(height, [&](std::int64_t y, int) {  // blurred along the rows
    const float* in = row_of(from, static_cast<int>(y));
    float* out = row_of(scratch, static_cast<int>(y));
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        float sum = weights_[0] * in[3 * x + c];
        for (int k = 1; k <= reach; ++k)
          sum += weights_[static_cast<std::size_t>(k)] *
                 (in[3 * std::max(x - k, 0) + c] + in[3 * std::min(x + k, width - 1) + c]);
        out[3 * x + c] = sum;
      }
  });
  parallel_for(height, [&](std::int64_t index, int) {  // and down the columns
    const int y = static_cast<int>(index);
    const float* in = row_of(from, y);
    float* out = row_of(to, y);
    for (std::size_t i = 0; i < row_floats; ++i) {
      float blurred = weights_[0] * row_of(scratch, y)[i];
      for (int k = 1; k <= reach; ++k)
        blurred +=
            weights_[static_cast<std::size_t>(k)] * (row_of(scratch, y - k)[i] + row_of(scratch, y + k)[i]);
      out[i] = in[i] + amount_ * (in[i] - blurred);
    }
  });
}

}  // namespace gramflow
