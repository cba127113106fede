// The optimisers' vocabulary: reductions in double, one partial result a block, combined in block order.
#include <cmath>
#include <cstring>

#include "framework/ops/cpu/blocks.h"
#include "framework/ops/cpu/kernels.h"

namespace gramflow::cpu {

namespace {
std::int64_t size_of(std::span<const float> a) { return static_cast<std::int64_t>(a.size()); }
}  // namespace

std::size_t reduction_scratch(std::int64_t elements) {
  return static_cast<std::size_t>(vector_blocks(elements)) * sizeof(double);
}

double dot(std::span<const float> a, std::span<const float> b, void* scratch) {
  return sum_vector_blocks(size_of(a), scratch, [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i)
      sum += static_cast<double>(a.data()[i]) * static_cast<double>(b.data()[i]);
    return sum;
  });
}

double max_abs(std::span<const float> a, void* scratch) {
  double* parts = static_cast<double*>(scratch);
  for_vector_blocks(size_of(a), [&](std::int64_t begin, std::int64_t end) {
    float most = 0;
    for (std::int64_t i = begin; i < end; ++i) most = std::max(most, std::fabs(a.data()[i]));
    parts[begin / vector_block] = static_cast<double>(most);
  });
  double most = 0;
  for (std::int64_t block = 0; block < vector_blocks(size_of(a)); ++block)
    most = std::max(most, parts[block]);
  return most;
}

double sum_abs(std::span<const float> a, void* scratch) {
  return sum_vector_blocks(size_of(a), scratch, [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += std::fabs(static_cast<double>(a.data()[i]));
    return sum;
  });
}

bool all_finite(std::span<const float> a, void* scratch) {
  // x - x is 0 for every finite x and NaN for the rest, and NaN survives a sum.
  const double sum = sum_vector_blocks(size_of(a), scratch, [&](std::int64_t begin, std::int64_t end) {
    float part = 0;
    for (std::int64_t i = begin; i < end; ++i) part += a.data()[i] - a.data()[i];
    return static_cast<double>(part);
  });
  return sum == 0;
}

void axpby(double alpha, std::span<const float> x, double beta, std::span<float> y) {
  const float a = static_cast<float>(alpha);
  const float b = static_cast<float>(beta);
  for_vector_blocks(size_of(x), [&](std::int64_t begin, std::int64_t end) {
    if (beta == 0) {
      for (std::int64_t i = begin; i < end; ++i) y.data()[i] = a * x.data()[i];
    } else {
      for (std::int64_t i = begin; i < end; ++i) y.data()[i] = a * x.data()[i] + b * y.data()[i];
    }
  });
}

void copy(std::span<const float> from, std::span<float> to) {
  for_vector_blocks(size_of(from), [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(to.data() + begin, from.data() + begin,
                static_cast<std::size_t>(end - begin) * sizeof(float));
  });
}

void adam_step(const AdamConstants& constants, std::span<const float> gradient, std::span<float> first_moment,
               std::span<float> second_moment, std::span<float> x) {
  const double step = static_cast<double>(constants.step);
  const float beta1 = static_cast<float>(constants.beta1);
  const float rest1 = static_cast<float>(1 - constants.beta1);
  const float beta2 = static_cast<float>(constants.beta2);
  const float rest2 = static_cast<float>(1 - constants.beta2);
  const float scale1 = static_cast<float>(constants.learning_rate / (1 - std::pow(constants.beta1, step)));
  const float scale2 = static_cast<float>(1 / (1 - std::pow(constants.beta2, step)));
  const float epsilon = static_cast<float>(constants.epsilon);
  for_vector_blocks(size_of(gradient), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float g = gradient.data()[i];
      const float m = beta1 * first_moment.data()[i] + rest1 * g;
      const float v = beta2 * second_moment.data()[i] + rest2 * (g * g);
      first_moment.data()[i] = m;
      second_moment.data()[i] = v;
      x.data()[i] -= scale1 * m / (std::sqrt(v * scale2) + epsilon);
    }
  });
}

}  // namespace gramflow::cpu
