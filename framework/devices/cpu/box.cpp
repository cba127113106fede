// Blocks are whole pixels, so that every one begins with the first channel. Sums are in double and added in
// block order, as in vectors.cpp and lbfgs_passes.cpp.
//
// The two-loop recursion (Nocedal and Wright, algorithm 7.4) over free elements goes over the vectors one after
// the other, unlike the one without a box: inner products over other elements in every iteration cannot be kept.
// A pass adds the last vector and multiplies with the next.
#include "framework/devices/cpu/box.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "framework/base/parallel.h"
#include "framework/devices/cpu/blocks.h"

namespace gramflow::cpu {
namespace {

constexpr std::size_t block_elements = 4095;  // whole pixels
constexpr std::size_t lanes = 8;

std::int64_t block_count(std::size_t elements) {
  return divide_up(static_cast<std::int64_t>(elements), static_cast<std::int64_t>(block_elements));
}

/// body(begin, end, block) for each block.
template <class Body>
void for_blocks(std::size_t elements, Body&& body) {
  parallel_for(block_count(elements), [&](std::int64_t block, int) {
    const std::size_t begin = static_cast<std::size_t>(block) * block_elements;
    body(begin, std::min(elements, begin + block_elements), block);
  });
}

/// body(element, low, high) for a block's elements.
template <class Body>
void for_elements(const Box& box, std::size_t begin, std::size_t end, Body&& body) {
  std::size_t i = begin;
  for (; i + 3 <= end; i += 3)
    for (std::size_t c = 0; c < 3; ++c) body(i + c, box.low[c], box.high[c]);
  for (std::size_t c = 0; i < end; ++i, ++c) body(i, box.low[c], box.high[c]);
}

/// Sums of `width` numbers over all blocks, in their order.
template <std::size_t width, class Partial>
std::array<double, width> sum_blocks(std::size_t elements, void* scratch, Partial&& partial) {
  auto* sums = static_cast<std::array<double, width>*>(scratch);
  for_blocks(elements, [&](std::size_t begin, std::size_t end, std::int64_t block) {
    sums[block] = partial(begin, end);
  });
  std::array<double, width> total{};
  for (std::int64_t block = 0; block < block_count(elements); ++block)
    for (std::size_t k = 0; k < width; ++k) total[k] += sums[block][k];
  return total;
}

bool held(float x, float gradient, float low, float high) {
  return (x <= low && gradient > 0) || (x >= high && gradient < 0);
}

double product(const float* a, const float* b, std::size_t size) {
  double sums[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane)
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
  for (; i < size; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/// Numbers that a block gives: three for each pair, then the gradient's size.
std::size_t numbers_a_block(std::size_t pairs) { return 3 * pairs + 3; }

/// to = scale * (to + factor * from) for free elements, 0 for the others; then to . with.
double add_and_multiply(std::span<const std::uint8_t> free, double factor, std::span<const float> from,
                        double scale, std::span<const float> with, std::span<float> to, void* scratch) {
  const auto f = static_cast<float>(factor), s = static_cast<float>(scale);
  return sum_blocks<1>(to.size(), scratch, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) to[i] = free[i] != 0 ? s * (to[i] + f * from[i]) : 0.0F;
    return std::array<double, 1>{product(to.data() + begin, with.data() + begin, end - begin)};
  })[0];
}

}  // namespace

std::size_t box_scratch(std::int64_t elements) {
  return static_cast<std::size_t>(block_count(static_cast<std::size_t>(elements))) * 2 * sizeof(double);
}

void clamp(const Box& box, std::span<float> x) {
  for_blocks(x.size(), [&](std::size_t begin, std::size_t end, std::int64_t) {
    for_elements(box, begin, end, [&](std::size_t i, float low, float high) {
      x[i] = x[i] < low ? low : x[i] > high ? high : x[i];
    });
  });
}

BoxShares box_shares(const Box& box, std::span<const float> x, void* scratch) {
  const auto counts = sum_blocks<2>(x.size(), scratch, [&](std::size_t begin, std::size_t end) {
    int at = 0, outside = 0;
    for_elements(box, begin, end, [&](std::size_t i, float low, float high) {
      at += x[i] <= low || x[i] >= high;
      outside += x[i] < low || x[i] > high;
    });
    return std::array<double, 2>{static_cast<double>(at), static_cast<double>(outside)};
  });
  const auto all = static_cast<double>(std::max<std::size_t>(x.size(), 1));
  return {counts[0] / all, counts[1] / all};
}

void step_in_box(const Box& box, double step, std::span<const float> direction, std::span<const float> start,
                 std::span<float> x) {
  const auto factor = static_cast<float>(step);
  for_blocks(x.size(), [&](std::size_t begin, std::size_t end, std::int64_t) {
    for_elements(box, begin, end, [&](std::size_t i, float low, float high) {
      const float to = start[i] + factor * direction[i];
      x[i] = to < low ? low : to > high ? high : to;
    });
  });
}

double gain_in_box(const Box& box, double step, std::span<const float> direction,
                   std::span<const float> start, std::span<const float> gradient, void* scratch) {
  const auto factor = static_cast<float>(step);
  return sum_blocks<1>(start.size(), scratch, [&](std::size_t begin, std::size_t end) {
    double sum = 0;
    for_elements(box, begin, end, [&](std::size_t i, float low, float high) {
      const float to = start[i] + factor * direction[i];
      sum += static_cast<double>(gradient[i]) * static_cast<double>((to < low    ? low
                                                                     : to > high ? high
                                                                                 : to) -
                                                                    start[i]);
    });
    return std::array<double, 1>{sum};
  })[0];
}

double slope_in_box(const Box& box, std::span<const float> direction, std::span<const float> x,
                    std::span<const float> gradient, void* scratch) {
  return sum_blocks<1>(x.size(), scratch, [&](std::size_t begin, std::size_t end) {
    double sum = 0;
    for_elements(box, begin, end, [&](std::size_t i, float low, float high) {
      const float d = direction[i];
      const bool stopped = (x[i] <= low && d < 0) || (x[i] >= high && d > 0);
      sum += static_cast<double>(gradient[i]) *
             (stopped ? 0.0 : static_cast<double>(d));  // NaN and infinity show
    });
    return std::array<double, 1>{sum};
  })[0];
}

DirectionSize hold_in_box(const Box& box, std::span<const float> x, std::span<const float> gradient,
                          std::span<float> direction, void* scratch) {
  auto* parts = static_cast<std::array<double, 2>*>(scratch);
  for_blocks(x.size(), [&](std::size_t begin, std::size_t end, std::int64_t block) {
    double slope = 0;
    float most = 0;
    for_elements(box, begin, end, [&](std::size_t i, float low, float high) {
      if (held(x[i], gradient[i], low, high)) direction[i] = 0;
      slope += static_cast<double>(gradient[i]) * static_cast<double>(direction[i]);
      most = std::max(most, std::abs(direction[i]));
    });
    parts[block] = {slope, static_cast<double>(most)};
  });
  DirectionSize size;
  for (std::int64_t block = 0; block < block_count(x.size()); ++block) {
    size.slope += parts[block][0];
    size.max_abs = std::max(size.max_abs, parts[block][1]);
  }
  return size;
}

void lbfgs_difference(std::span<const float> x, std::span<const float> x_before,
                      std::span<const float> gradient, std::span<const float> gradient_before,
                      const LbfgsPair& pair) {
  for_blocks(x.size(), [&](std::size_t begin, std::size_t end, std::int64_t) {
    for (std::size_t i = begin; i < end; ++i) {
      pair.step[i] = x[i] - x_before[i];
      pair.change[i] = gradient[i] - gradient_before[i];
    }
  });
}

std::size_t free_scratch(std::int64_t elements, int pairs) {
  return static_cast<std::size_t>(block_count(static_cast<std::size_t>(elements))) *
         numbers_a_block(static_cast<std::size_t>(pairs)) * sizeof(double);
}

GradientSize lbfgs_look_free(const Box& box, std::span<const float> x, std::span<const float> gradient,
                             std::span<const LbfgsPair> pairs, std::span<std::uint8_t> free,
                             std::span<FreeProducts> products, void* scratch) {
  const std::size_t width = numbers_a_block(pairs.size());
  auto* sums = static_cast<double*>(scratch);
  for_blocks(x.size(), [&](std::size_t begin, std::size_t end, std::int64_t block) {
    double* to = sums + static_cast<std::size_t>(block) * width;
    const std::size_t size = end - begin;
    std::array<float, block_elements> step, change;
    for_elements(box, begin, end, [&](std::size_t i, float low, float high) {
      free[i] = held(x[i], gradient[i], low, high) ? 0 : 1;
    });
    const auto take = [&](std::span<const float> from, std::array<float, block_elements>& into) {
      for (std::size_t i = 0; i < size; ++i) into[i] = free[begin + i] != 0 ? from[begin + i] : 0.0F;
    };
    for (const LbfgsPair& pair : pairs) {
      take(pair.step, step);
      take(pair.change, change);
      *to++ = product(step.data(), change.data(), size);
      *to++ = product(step.data(), step.data(), size);
      *to++ = product(change.data(), change.data(), size);
    }
    take(gradient, change);
    double absolute = 0;
    float most = 0;
    for (std::size_t i = 0; i < size; ++i) {
      absolute += static_cast<double>(std::abs(change[i]));
      most = std::max(most, std::abs(change[i]));
    }
    *to++ = product(change.data(), change.data(), size);
    *to++ = absolute;
    *to++ = static_cast<double>(most);
  });
  std::size_t next = 0;
  const auto total = [&] {
    double sum = 0;
    for (std::int64_t block = 0; block < block_count(x.size()); ++block)
      sum += sums[static_cast<std::size_t>(block) * width + next];
    ++next;
    return sum;
  };
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    products[p].step_change = total();
    products[p].step_step = total();
    products[p].change_change = total();
  }
  GradientSize size;
  size.squared = total();
  size.absolute = total();
  for (std::int64_t block = 0; block < block_count(x.size()); ++block)
    size.max_abs = std::max(size.max_abs, sums[static_cast<std::size_t>(block) * width + next]);
  return size;
}

void lbfgs_propose_free(std::span<const std::uint8_t> free, std::span<const float> gradient,
                        std::span<const LbfgsPair> pairs, std::span<const FreeProducts> products,
                        std::span<double> alpha, std::span<float> direction, void* scratch) {
  for_blocks(direction.size(), [&](std::size_t begin, std::size_t end, std::int64_t) {
    for (std::size_t i = begin; i < end; ++i) direction[i] = free[i] != 0 ? -gradient[i] : 0.0F;
  });
  if (pairs.empty()) return;
  std::span<const float> added = gradient;  // and the factor it is added with
  double factor = 0;
  for (std::size_t p = pairs.size(); p-- > 0;) {
    alpha[p] =
        add_and_multiply(free, factor, added, 1, pairs[p].step, direction, scratch) / products[p].step_change;
    added = pairs[p].change;
    factor = -alpha[p];
  }
  double scale = products.back().step_change / products.back().change_change;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const double beta = add_and_multiply(free, factor, added, scale, pairs[p].change, direction, scratch) /
                        products[p].step_change;
    added = pairs[p].step;
    factor = alpha[p] - beta;
    scale = 1;
  }
  add_and_multiply(free, factor, added, 1, gradient, direction, scratch);
}

}  // namespace gramflow::cpu
