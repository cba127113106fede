#pragma once
// Functions to minimise, as in make_curves.py, and a driver that runs a method on one.
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "nodes/optim/method.h"

namespace gramflow::test {

/// Element k of hash(n, seed) in make_curves.py.
inline double hash(std::uint32_t k, std::uint32_t seed) {
  std::uint32_t x = k + seed * 0x9E3779B9U;
  x ^= x >> 16, x *= 0x7FEB352DU;
  x ^= x >> 15, x *= 0x846CA68BU;
  x ^= x >> 16;
  return static_cast<double>(x) / 4294967296.0;
}

inline std::vector<float> hashed(std::size_t count, std::uint32_t seed, double low, double high) {
  std::vector<float> values(count);
  for (std::size_t k = 0; k < count; ++k)
    values[k] = static_cast<float>(low + (high - low) * hash(static_cast<std::uint32_t>(k), seed));
  return values;
}

/// Loss at x; fills the gradient.
using Function = std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

struct Problem {
  Function function;
  std::vector<float> start;
};

inline Problem quadratic(std::size_t n) {
  return {[a = hashed(n, 1, 0.1, 10), c = hashed(n, 2, -2, 2)](const auto& x, auto& gradient) {
            double loss = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
              const double ai = static_cast<double>(a[i]), off = x[i] - static_cast<double>(c[i]);
              loss += 0.5 * ai * off * off;
              gradient[i] = ai * off;
            }
            return loss;
          },
          hashed(n, 3, -4, 4)};
}

inline Problem rosenbrock(std::size_t n) {
  std::vector<float> start(n);
  for (std::size_t i = 0; i < n; ++i) start[i] = i % 2 == 0 ? -1.2F : 1.0F;
  return {[](const auto& x, auto& gradient) {
            double loss = 0;
            std::fill(gradient.begin(), gradient.end(), 0.0);
            for (std::size_t i = 0; i + 1 < x.size(); ++i) {
              const double curve = x[i + 1] - x[i] * x[i], off = 1 - x[i];
              loss += 100 * curve * curve + off * off;
              gradient[i] += -400 * curve * x[i] - 2 * off;
              gradient[i + 1] += 200 * curve;
            }
            return loss;
          },
          start};
}

inline Problem valley(std::size_t n) {
  return {[w = hashed(n, 4, 0.5, 5), c = hashed(n, 5, -3, 3)](const auto& x, auto& gradient) {
            double loss = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
              const double wi = static_cast<double>(w[i]), off = x[i] - static_cast<double>(c[i]);
              loss += wi * std::log(1 + off * off);
              gradient[i] = 2 * wi * off / (1 + off * off);
            }
            for (std::size_t i = 0; i + 1 < x.size(); ++i) {
              const double rise = x[i + 1] - x[i];
              loss += 0.5 * rise * rise;
              gradient[i] -= rise;
              gradient[i + 1] += rise;
            }
            return loss;
          },
          hashed(n, 6, -5, 5)};
}

/// Owns what the engine would: x, the gradient, the method's state (with rubbish in it).
class Run {
 public:
  Run(std::unique_ptr<OptimizationMethod> method, Problem problem)
      : method_(std::move(method)), problem_(std::move(problem)), x(problem_.start), gradient_(x.size()) {
    const auto elements = static_cast<std::int64_t>(x.size());
    state_.assign(method_->state_floats(elements), std::numeric_limits<float>::quiet_NaN());
    method_->bind(elements, state_);
  }

  StepResult step() {
    return method_->step(iteration_++, x, gradient_, [this] {
      const double loss = evaluate();
      return Evaluated{loss, evaluations - 1};
    });
  }

  /// The losses before each of `count` steps.
  std::vector<double> losses(int count) {
    std::vector<double> found;
    for (int i = 0; i < count; ++i) found.push_back(step().loss);
    return found;
  }
  /// Steps until the method stops by itself.
  StepResult finish(int at_most = 1000) {
    StepResult result;
    for (int i = 0; i < at_most && !result.stopped; ++i) result = step();
    return result;
  }

  double evaluate() {
    ++evaluations;
    wide_x_.assign(x.begin(), x.end());
    wide_gradient_.resize(x.size());
    const double loss = problem_.function(wide_x_, wide_gradient_);
    for (std::size_t i = 0; i < x.size(); ++i) gradient_[i] = static_cast<float>(wide_gradient_[i]);
    return loss;
  }

 private:
  std::unique_ptr<OptimizationMethod> method_;
  Problem problem_;

 public:
  std::vector<float> x;
  int evaluations = 0;

 private:
  std::vector<float> gradient_, state_;
  std::vector<double> wide_x_, wide_gradient_;
  std::int64_t iteration_ = 0;
};

}  // namespace gramflow::test
