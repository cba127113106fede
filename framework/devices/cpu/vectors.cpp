// Reductions in double, one partial result a block, combined in block order; passes that write, block by
// block.
#include "framework/devices/cpu/vectors.h"

#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>

#include "framework/devices/cpu/blocks.h"
#include "framework/devices/cpu/element_kernels.h"
#include "framework/devices/cpu/sum_kernels.h"

namespace gramflow::cpu {

namespace {
std::int64_t size_of(std::span<const float> a) { return static_cast<std::int64_t>(a.size()); }
std::size_t length(std::int64_t begin, std::int64_t end) { return static_cast<std::size_t>(end - begin); }
}  // namespace

std::size_t reduction_scratch(std::int64_t elements) {
  return static_cast<std::size_t>(vector_blocks(elements)) * sizeof(double);
}

double dot(std::span<const float> a, std::span<const float> b, void* scratch) {
  return sum_vector_blocks(size_of(a), scratch, [&](std::int64_t begin, std::int64_t end) {
    return sum_products(a.data() + begin, b.data() + begin, length(begin, end));
  });
}

double max_abs(std::span<const float> a, void* scratch) {
  double* parts = static_cast<double*>(scratch);
  for_vector_blocks(size_of(a), [&](std::int64_t begin, std::int64_t end) {
    parts[begin / vector_block] =
        static_cast<double>(largest_magnitude(a.data() + begin, length(begin, end)));
  });
  double most = 0;
  for (std::int64_t block = 0; block < vector_blocks(size_of(a)); ++block)
    most = std::max(most, parts[block]);
  return most;
}

bool all_finite(std::span<const float> a, void* scratch) {
  const double unlike = sum_vector_blocks(size_of(a), scratch, [&](std::int64_t begin, std::int64_t end) {
    return only_finite(a.data() + begin, length(begin, end)) ? 0.0 : 1.0;
  });
  return unlike == 0;
}

/// Each block's hash is put at its place in a sum, so that blocks may come in any order.
std::uint64_t checksum(std::span<const float> a) {
  std::atomic<std::uint64_t> sum{0};
  for_vector_blocks(size_of(a), [&](std::int64_t begin, std::int64_t end) {
    constexpr std::uint64_t prime = 0x9E3779B97F4A7C15U;
    std::uint64_t lanes[4] = {1, 2, 3, 4};
    std::int64_t i = begin;
    const auto bits = [&](std::int64_t at) {
      return std::uint64_t{std::bit_cast<std::uint32_t>(a[static_cast<std::size_t>(at)])};
    };
    for (; i + 4 <= end; i += 4)
      for (int lane = 0; lane < 4; ++lane) lanes[lane] = (lanes[lane] ^ bits(i + lane)) * prime;
    for (; i < end; ++i) lanes[0] = (lanes[0] ^ bits(i)) * prime;
    std::uint64_t hash = static_cast<std::uint64_t>(begin);
    for (const std::uint64_t lane : lanes) hash = (hash ^ lane ^ (lane >> 29)) * prime;
    sum.fetch_add(hash ^ (hash >> 32), std::memory_order_relaxed);
  });
  return sum.load();
}

void axpby(double alpha, std::span<const float> x, double beta, std::span<float> y) {
  for_vector_blocks(size_of(x), [&](std::int64_t begin, std::int64_t end) {
    mix(static_cast<float>(alpha), x.data() + begin, static_cast<float>(beta), length(begin, end),
        y.data() + begin);
  });
}

void copy(std::span<const float> from, std::span<float> to) {
  for_vector_blocks(size_of(from), [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(to.data() + begin, from.data() + begin, length(begin, end) * sizeof(float));
  });
}

void fill(float value, std::span<float> to) {
  for_vector_blocks(size_of(to), [&](std::int64_t begin, std::int64_t end) {
    std::fill(to.data() + begin, to.data() + end, value);
  });
}

void adam_step(const AdamConstants& constants, std::span<const float> gradient, std::span<float> first_moment,
               std::span<float> second_moment, std::span<float> x) {
  const double step = static_cast<double>(constants.step);
  const AdamFactors factors{
      static_cast<float>(constants.beta1),
      static_cast<float>(1 - constants.beta1),
      static_cast<float>(constants.beta2),
      static_cast<float>(1 - constants.beta2),
      static_cast<float>(constants.learning_rate / (1 - std::pow(constants.beta1, step))),
      static_cast<float>(1 / (1 - std::pow(constants.beta2, step))),
      static_cast<float>(constants.epsilon),
      static_cast<float>(constants.gradient_scale)};
  for_vector_blocks(size_of(gradient), [&](std::int64_t begin, std::int64_t end) {
    adam_run(factors, gradient.data() + begin, length(begin, end), first_moment.data() + begin,
             second_moment.data() + begin, x.data() + begin);
  });
}

}  // namespace gramflow::cpu
