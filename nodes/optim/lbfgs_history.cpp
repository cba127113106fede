// The two-loop recursion (Nocedal and Wright, algorithm 7.4) goes over every stored vector twice, one sum
// after the other: with ten pairs forty passes that each wait for the last. But all it ever forms are linear
// combinations of the pairs and the gradient, so it can run on their inner products alone. Of these only
// those with the newest pair and with the gradient are new, and one pass finds them: read a block of the new
// y and of the gradient, then for each pair its block of s and y, four sums at once. The recursion then runs
// on a few hundred numbers, and a second pass adds up the direction. The products are sums in double of exact
// products of floats, so nothing is lost against the loops over float vectors.
//
// Blocks are cut by size alone and their sums added in order: the same bits for any number of threads. Within
// a block eight sums run side by side so that the compiler can use vectors.
#include "nodes/optim/lbfgs_history.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "framework/base/parallel.h"

namespace gramflow {
namespace {

constexpr std::size_t block_elements = 4096;  // s, y, the new y and the gradient of a block: 64 KiB
constexpr std::size_t lanes = 8;

std::int64_t block_count(std::size_t elements) {
  return static_cast<std::int64_t>((elements + block_elements - 1) / block_elements);
}

/// body(begin, size, block) for each block.
template <class Body>
void for_blocks(std::size_t elements, Body&& body) {
  parallel_for(block_count(elements), [&](std::int64_t block, int) {
    const std::size_t begin = static_cast<std::size_t>(block) * block_elements;
    body(begin, std::min(block_elements, elements - begin), block);
  });
}

struct Lanes {
  double of[lanes] = {};
  double sum() const { return ((of[0] + of[4]) + (of[2] + of[6])) + ((of[1] + of[5]) + (of[3] + of[7])); }
};

/// first += a . u, second += b . u, third += a . v, fourth += b . v
void four_products(const float* a, const float* b, const float* u, const float* v, std::size_t size,
                   double* results) {
  Lanes au, bu, av, bv;
  const auto add = [&](std::size_t i, std::size_t lane) {
    const auto ai = static_cast<double>(a[i]), bi = static_cast<double>(b[i]);
    const auto ui = static_cast<double>(u[i]), vi = static_cast<double>(v[i]);
    au.of[lane] += ai * ui;
    bu.of[lane] += bi * ui;
    av.of[lane] += ai * vi;
    bv.of[lane] += bi * vi;
  };
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) add(i + lane, lane);
  for (; i < size; ++i) add(i, 0);
  results[0] = au.sum();
  results[1] = bu.sum();
  results[2] = av.sum();
  results[3] = bv.sum();
}

/// first = a . v, second = b . v
void two_products(const float* a, const float* b, const float* v, std::size_t size, double* results) {
  Lanes av, bv;
  const auto add = [&](std::size_t i, std::size_t lane) {
    const auto vi = static_cast<double>(v[i]);
    av.of[lane] += static_cast<double>(a[i]) * vi;
    bv.of[lane] += static_cast<double>(b[i]) * vi;
  };
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) add(i + lane, lane);
  for (; i < size; ++i) add(i, 0);
  results[0] = av.sum();
  results[1] = bv.sum();
}

/// g . g, sum |g|, max |g|
void measure(const float* g, std::size_t size, double* results) {
  Lanes squared, absolute;
  float most = 0;
  const auto add = [&](std::size_t i, std::size_t lane) {
    const auto value = static_cast<double>(g[i]);
    squared.of[lane] += value * value;
    absolute.of[lane] += std::abs(value);
  };
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) add(i + lane, lane);
  for (; i < size; ++i) add(i, 0);
  for (i = 0; i < size; ++i) most = std::max(most, std::abs(g[i]));
  results[0] = squared.sum();
  results[1] = absolute.sum();
  results[2] = static_cast<double>(most);
}

}  // namespace

LbfgsHistory::LbfgsHistory(int capacity) : capacity_(capacity) {
  if (capacity < 1) throw std::invalid_argument("L-BFGS needs a history of at least 1 pair");
}

void LbfgsHistory::bind(std::int64_t elements, std::span<float> state) {
  elements_ = static_cast<std::size_t>(elements);
  state_ = state;
  const auto pairs = static_cast<std::size_t>(capacity_);
  step_change_.assign(pairs * pairs, 0);
  change_change_.assign(pairs * pairs, 0);
  for (auto* numbers : {&step_gradient_, &change_gradient_, &step_coefficient_, &change_coefficient_})
    numbers->assign(pairs, 0);
  partial_.assign(static_cast<std::size_t>(block_count(elements_) * sums_a_block()), 0);
  forget();
}

void LbfgsHistory::forget() { oldest_ = count_ = 0; }

// The products with the gradient and the coefficients are made anew by look() or learn() before they are
// read.
void LbfgsHistory::save(OptimizerState& to) const {
  to.counts.insert(to.counts.end(), {oldest_, count_});
  to.numbers.insert(to.numbers.end(), step_change_.begin(), step_change_.end());
  to.numbers.insert(to.numbers.end(), change_change_.begin(), change_change_.end());
}

void LbfgsHistory::restore(SavedNumbers& from) {
  oldest_ = static_cast<int>(from.count(0, capacity_ - 1));
  count_ = static_cast<int>(from.count(0, capacity_));
  for (double& product : step_change_) product = from.number();
  for (double& product : change_change_) product = from.number();
}

std::span<float> LbfgsHistory::step_of(int slot) const {
  return state_.subspan(2 * static_cast<std::size_t>(slot) * elements_, elements_);
}
std::span<float> LbfgsHistory::change_of(int slot) const {
  return state_.subspan((2 * static_cast<std::size_t>(slot) + 1) * elements_, elements_);
}

GradientSize LbfgsHistory::learn(double step, std::span<const float> direction, std::span<const float> before,
                                 std::span<const float> gradient) {
  if (count_ == capacity_) {
    oldest_ = slot(1);
    --count_;
  }
  const int newest = slot(count_);
  float* new_step = step_of(newest).data();
  float* new_change = change_of(newest).data();
  const auto factor = static_cast<float>(step);
  for_blocks(elements_, [&](std::size_t begin, std::size_t size, std::int64_t block) {
    for (std::size_t i = begin; i < begin + size; ++i) {
      new_step[i] = factor * direction[i];
      new_change[i] = gradient[i] - before[i];
    }
    double* sums = sums_of_block(block);
    for (int age = 0; age <= count_; ++age)
      four_products(step_of(slot(age)).data() + begin, change_of(slot(age)).data() + begin,
                    new_change + begin, gradient.data() + begin, size, sums + 4 * age);
    measure(gradient.data() + begin, size, sums + 4 * (count_ + 1));
  });
  ++count_;
  return add_up(4, true);
}

GradientSize LbfgsHistory::look(std::span<const float> gradient) {
  for_blocks(elements_, [&](std::size_t begin, std::size_t size, std::int64_t block) {
    double* sums = sums_of_block(block);
    for (int age = 0; age < count_; ++age)
      two_products(step_of(slot(age)).data() + begin, change_of(slot(age)).data() + begin,
                   gradient.data() + begin, size, sums + 2 * age);
    measure(gradient.data() + begin, size, sums + 2 * count_);
  });
  return add_up(2, false);
}

GradientSize LbfgsHistory::add_up(int sums_a_pair, bool learned) {
  const std::int64_t blocks = block_count(elements_);
  const auto total = [&](int index) {
    double sum = 0;
    for (std::int64_t block = 0; block < blocks; ++block) sum += sums_of_block(block)[index];
    return sum;
  };
  const int newest = slot(std::max(count_ - 1, 0));
  for (int age = 0; age < count_; ++age) {
    const int pair = slot(age);
    const auto p = static_cast<std::size_t>(pair);
    int index = sums_a_pair * age;
    if (learned) {
      at(step_change_, pair, newest) = total(index++);
      at(change_change_, pair, newest) = at(change_change_, newest, pair) = total(index++);
    }
    step_gradient_[p] = total(index++);
    change_gradient_[p] = total(index);
  }
  const int index = sums_a_pair * count_;
  GradientSize size{total(index), total(index + 1), 0};
  for (std::int64_t block = 0; block < blocks; ++block)
    size.max_abs = std::max(size.max_abs, sums_of_block(block)[index + 2]);
  return size;
}

void LbfgsHistory::compute_coefficients() {
  // q = -g - sum of change_coefficient y; from the newest to the oldest.
  for (int age = count_ - 1; age >= 0; --age) {
    const int i = slot(age);
    double product = -step_gradient_[static_cast<std::size_t>(i)];
    for (int younger = age + 1; younger < count_; ++younger)
      product -=
          change_coefficient_[static_cast<std::size_t>(slot(younger))] * at(step_change_, i, slot(younger));
    change_coefficient_[static_cast<std::size_t>(i)] = product / at(step_change_, i, i);
  }
  const int newest = slot(count_ - 1);
  const double scale = at(step_change_, newest, newest) / at(change_change_, newest, newest);
  // r = scale q + sum of step_coefficient s; from the oldest to the newest.
  for (int age = 0; age < count_; ++age) {
    const int i = slot(age);
    double product = -scale * change_gradient_[static_cast<std::size_t>(i)];
    for (int other = 0; other < count_; ++other)
      product -= scale * change_coefficient_[static_cast<std::size_t>(slot(other))] *
                 at(change_change_, i, slot(other));
    for (int older = 0; older < age; ++older)
      product += step_coefficient_[static_cast<std::size_t>(slot(older))] * at(step_change_, slot(older), i);
    step_coefficient_[static_cast<std::size_t>(i)] =
        change_coefficient_[static_cast<std::size_t>(i)] - product / at(step_change_, i, i);
  }
  gradient_coefficient_ = -scale;
  for (int age = 0; age < count_; ++age) change_coefficient_[static_cast<std::size_t>(slot(age))] *= -scale;
}

DirectionSize LbfgsHistory::propose(std::span<const float> gradient, std::span<float> direction,
                                    std::span<const float> x, std::span<float> x_copy,
                                    std::span<float> gradient_copy) {
  gradient_coefficient_ = -1;
  if (count_ > 0) compute_coefficients();
  for_blocks(elements_, [&](std::size_t begin, std::size_t size, std::int64_t block) {
    const float* g = gradient.data() + begin;
    float* d = direction.data() + begin;
    std::copy_n(x.data() + begin, size, x_copy.data() + begin);
    std::copy_n(g, size, gradient_copy.data() + begin);
    const auto g_factor = static_cast<float>(gradient_coefficient_);
    for (std::size_t i = 0; i < size; ++i) d[i] = g_factor * g[i];
    for (int age = 0; age < count_; ++age) {
      const float* s = step_of(slot(age)).data() + begin;
      const float* y = change_of(slot(age)).data() + begin;
      const auto s_factor = static_cast<float>(step_coefficient_[static_cast<std::size_t>(slot(age))]);
      const auto y_factor = static_cast<float>(change_coefficient_[static_cast<std::size_t>(slot(age))]);
      for (std::size_t i = 0; i < size; ++i) d[i] += s_factor * s[i] + y_factor * y[i];
    }
    double* sums = sums_of_block(block);
    two_products(g, d, g, size, sums);  // the second is the slope
    float most = 0;
    for (std::size_t i = 0; i < size; ++i) most = std::max(most, std::abs(d[i]));
    sums[0] = static_cast<double>(most);
  });
  DirectionSize result;
  for (std::int64_t block = 0; block < block_count(elements_); ++block) {
    result.max_abs = std::max(result.max_abs, sums_of_block(block)[0]);
    result.slope += sums_of_block(block)[1];
  }
  return result;
}

}  // namespace gramflow
