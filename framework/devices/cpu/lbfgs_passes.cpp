// The two passes of L-BFGS. The first reads a block of the gradient and of the newest y, then for each pair
// its block of s and y, four sums at once; the second adds up the direction, a block at a time. Sums are in
// double of exact products of floats.
//
// Blocks are cut by length alone and their sums added in order. Within a block eight sums run side by side so
// that the compiler can use vectors.
#include <algorithm>
#include <cmath>

#include "framework/base/parallel.h"
#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/vectors.h"

namespace gramflow::cpu {
namespace {

constexpr std::size_t block_elements = 4096;  // s, y, the new y and the gradient of a block: 64 KiB
constexpr std::size_t lanes = 8;

std::int64_t block_count(std::size_t elements) {
  return divide_up(static_cast<std::int64_t>(elements), static_cast<std::int64_t>(block_elements));
}

/// body(begin, size, block) for each block.
template <class Body>
void for_blocks(std::size_t elements, Body&& body) {
  parallel_for(block_count(elements), [&](std::int64_t block, int) {
    const std::size_t begin = static_cast<std::size_t>(block) * block_elements;
    body(begin, std::min(block_elements, elements - begin), block);
  });
}

/// The sums of every block, and their totals in block order.
class BlockSums {
 public:
  BlockSums(void* scratch, std::size_t elements, std::size_t sums_a_block)
      : sums_(static_cast<double*>(scratch)), blocks_(block_count(elements)), width_(sums_a_block) {}
  double* of(std::int64_t block) const { return sums_ + static_cast<std::size_t>(block) * width_; }
  double total(std::size_t index) const {
    double sum = 0;
    for (std::int64_t block = 0; block < blocks_; ++block) sum += of(block)[index];
    return sum;
  }
  double largest(std::size_t index) const {
    double most = 0;
    for (std::int64_t block = 0; block < blocks_; ++block) most = std::max(most, of(block)[index]);
    return most;
  }

 private:
  double* sums_;
  std::int64_t blocks_;
  std::size_t width_;
};

struct Lanes {
  double of[lanes] = {};
  double sum() const { return ((of[0] + of[4]) + (of[2] + of[6])) + ((of[1] + of[5]) + (of[3] + of[7])); }
};

/// add(element, lane) for all elements of a block.
template <class Add>
void for_lanes(std::size_t size, Add&& add) {
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) add(i + lane, lane);
  for (; i < size; ++i) add(i, 0);
}

/// a . u, b . u, a . v, b . v
void four_products(const float* a, const float* b, const float* u, const float* v, std::size_t size,
                   double* results) {
  Lanes au, bu, av, bv;
  for_lanes(size, [&](std::size_t i, std::size_t lane) {
    const auto ai = static_cast<double>(a[i]), bi = static_cast<double>(b[i]);
    const auto ui = static_cast<double>(u[i]), vi = static_cast<double>(v[i]);
    au.of[lane] += ai * ui;
    bu.of[lane] += bi * ui;
    av.of[lane] += ai * vi;
    bv.of[lane] += bi * vi;
  });
  results[0] = au.sum();
  results[1] = bu.sum();
  results[2] = av.sum();
  results[3] = bv.sum();
}

/// a . v, b . v
void two_products(const float* a, const float* b, const float* v, std::size_t size, double* results) {
  Lanes av, bv;
  for_lanes(size, [&](std::size_t i, std::size_t lane) {
    const auto vi = static_cast<double>(v[i]);
    av.of[lane] += static_cast<double>(a[i]) * vi;
    bv.of[lane] += static_cast<double>(b[i]) * vi;
  });
  results[0] = av.sum();
  results[1] = bv.sum();
}

double largest_of(const float* a, std::size_t size) {
  float most = 0;
  for (std::size_t i = 0; i < size; ++i) most = std::max(most, std::abs(a[i]));
  return static_cast<double>(most);
}

/// g . g, sum |g|, max |g|
void measure(const float* g, std::size_t size, double* results) {
  Lanes squared, absolute;
  for_lanes(size, [&](std::size_t i, std::size_t lane) {
    const auto value = static_cast<double>(g[i]);
    squared.of[lane] += value * value;
    absolute.of[lane] += std::abs(value);
  });
  results[0] = squared.sum();
  results[1] = absolute.sum();
  results[2] = largest_of(g, size);
}

GradientSize gradient_size(const BlockSums& sums, std::size_t first) {
  return {sums.total(first), sums.total(first + 1), sums.largest(first + 2)};
}

}  // namespace

std::size_t lbfgs_scratch(std::int64_t elements, int pairs) {
  const std::size_t sums_a_block = 4 * static_cast<std::size_t>(pairs) + 3;
  return static_cast<std::size_t>(block_count(static_cast<std::size_t>(elements))) * sums_a_block *
         sizeof(double);
}

GradientSize lbfgs_learn(double step, std::span<const float> direction, std::span<const float> before,
                         std::span<const float> gradient, std::span<const LbfgsPair> pairs,
                         std::span<LbfgsProducts> products, void* scratch) {
  const BlockSums sums(scratch, gradient.size(), 4 * pairs.size() + 3);
  float* new_step = pairs.back().step.data();
  float* new_change = pairs.back().change.data();
  const auto factor = static_cast<float>(step);
  for_blocks(gradient.size(), [&](std::size_t begin, std::size_t size, std::int64_t block) {
    for (std::size_t i = begin; i < begin + size; ++i) {
      new_step[i] = factor * direction[i];
      new_change[i] = gradient[i] - before[i];
    }
    double* to = sums.of(block);
    for (const LbfgsPair& pair : pairs) {
      four_products(pair.step.data() + begin, pair.change.data() + begin, new_change + begin,
                    gradient.data() + begin, size, to);
      to += 4;
    }
    measure(gradient.data() + begin, size, to);
  });
  for (std::size_t p = 0; p < pairs.size(); ++p)
    products[p] = {sums.total(4 * p), sums.total(4 * p + 1), sums.total(4 * p + 2), sums.total(4 * p + 3)};
  return gradient_size(sums, 4 * pairs.size());
}

GradientSize lbfgs_look(std::span<const float> gradient, std::span<const LbfgsPair> pairs,
                        std::span<LbfgsProducts> products, void* scratch) {
  const BlockSums sums(scratch, gradient.size(), 2 * pairs.size() + 3);
  for_blocks(gradient.size(), [&](std::size_t begin, std::size_t size, std::int64_t block) {
    double* to = sums.of(block);
    for (const LbfgsPair& pair : pairs) {
      two_products(pair.step.data() + begin, pair.change.data() + begin, gradient.data() + begin, size, to);
      to += 2;
    }
    measure(gradient.data() + begin, size, to);
  });
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    products[p].step_gradient = sums.total(2 * p);
    products[p].change_gradient = sums.total(2 * p + 1);
  }
  return gradient_size(sums, 2 * pairs.size());
}

DirectionSize lbfgs_propose(double factor, std::span<const float> gradient, std::span<const LbfgsPair> pairs,
                            std::span<const LbfgsCoefficients> coefficients, std::span<float> direction,
                            std::span<const float> x, std::span<float> x_copy, std::span<float> gradient_copy,
                            void* scratch) {
  const BlockSums sums(scratch, gradient.size(), 2);
  const auto g_factor = static_cast<float>(factor);
  for_blocks(gradient.size(), [&](std::size_t begin, std::size_t size, std::int64_t block) {
    const float* g = gradient.data() + begin;
    float* d = direction.data() + begin;
    std::copy_n(x.data() + begin, size, x_copy.data() + begin);
    std::copy_n(g, size, gradient_copy.data() + begin);
    for (std::size_t i = 0; i < size; ++i) d[i] = g_factor * g[i];
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const float* s = pairs[p].step.data() + begin;
      const float* y = pairs[p].change.data() + begin;
      const auto s_factor = static_cast<float>(coefficients[p].step);
      const auto y_factor = static_cast<float>(coefficients[p].change);
      for (std::size_t i = 0; i < size; ++i) d[i] += s_factor * s[i] + y_factor * y[i];
    }
    double* to = sums.of(block);
    two_products(g, d, g, size, to);  // the second is the slope
    to[0] = largest_of(d, size);
  });
  return {sums.total(1), sums.largest(0)};
}

}  // namespace gramflow::cpu
