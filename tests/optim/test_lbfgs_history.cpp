#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <vector>

#include "nodes/optim/lbfgs_history.h"
#include "tests/optim/functions.h"

using namespace gramflow;
using gramflow::test::hashed;

namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The two-loop recursion as in the book, in double.
Vector two_loops(const std::deque<Vector>& s, const std::deque<Vector>& y, Vector q) {
  std::vector<double> alpha(s.size());
  for (double& value : q) value = -value;
  for (std::size_t i = s.size(); i-- > 0;) {
    alpha[i] = dot(s[i], q) / dot(s[i], y[i]);
    for (std::size_t k = 0; k < q.size(); ++k) q[k] -= alpha[i] * y[i][k];
  }
  if (!s.empty())
    for (double& value : q) value *= dot(s.back(), y.back()) / dot(y.back(), y.back());
  for (std::size_t i = 0; i < s.size(); ++i) {
    const double beta = dot(y[i], q) / dot(s[i], y[i]);
    for (std::size_t k = 0; k < q.size(); ++k) q[k] += (alpha[i] - beta) * s[i][k];
  }
  return q;
}

/// Gradients of a quadratic with curvatures 0.5 to 20 along its steps.
struct Walk {
  explicit Walk(std::size_t n) : x(hashed(n, 1, -3, 3)), curvature(hashed(n, 2, 0.5, 20)) {}
  std::vector<float> gradient() const {
    std::vector<float> g(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) g[i] = curvature[i] * x[i];
    return g;
  }
  std::vector<float> x, curvature;
};

}  // namespace

TEST_CASE("The direction is that of the two-loop recursion, while the history fills and after it is full") {
  for (const std::size_t n : {5, 4096, 9001}) {
    CAPTURE(n);
    LbfgsHistory history(4);
    std::vector<float> state(LbfgsHistory::state_floats(static_cast<std::int64_t>(n), 4));
    history.bind(static_cast<std::int64_t>(n), state);
    std::deque<Vector> s, y;
    Walk walk(n);
    std::vector<float> before = walk.gradient(), gradient = before, x_copy(n), gradient_copy(n), direction(n);
    history.look(gradient);
    for (int step = 0; step < 10; ++step) {
      CAPTURE(step);
      const cpu::DirectionSize size = history.propose(gradient, direction, walk.x, x_copy, gradient_copy);
      const Vector expected = two_loops(s, y, Vector(gradient.begin(), gradient.end()));
      double error = 0, slope = 0, most = 0;
      for (std::size_t i = 0; i < n; ++i) {
        error = std::max(error, std::abs(static_cast<double>(direction[i]) - expected[i]));
        slope += expected[i] * static_cast<double>(gradient[i]);
        most = std::max(most, std::abs(expected[i]));
      }
      CHECK(error < 1e-5 * most);
      CHECK(size.slope == doctest::Approx(slope).epsilon(1e-5));
      CHECK(size.max_abs == doctest::Approx(most).epsilon(1e-5));
      CHECK(x_copy == walk.x);
      CHECK(gradient_copy == gradient);
      Vector new_s(n), new_y(n);
      for (std::size_t i = 0; i < n; ++i) {
        new_s[i] = static_cast<double>(0.3F * direction[i]);
        walk.x[i] += 0.3F * direction[i];
      }
      before = gradient;
      gradient = walk.gradient();
      for (std::size_t i = 0; i < n; ++i) new_y[i] = static_cast<double>(gradient[i] - before[i]);
      history.learn(0.3, direction, before, gradient);
      s.push_back(new_s), y.push_back(new_y);
      if (s.size() > 4) s.pop_front(), y.pop_front();
      CHECK(history.pairs() == static_cast<int>(s.size()));
    }
  }
}

TEST_CASE("The gradient is measured on the way") {
  LbfgsHistory history(2);
  std::vector<float> state(LbfgsHistory::state_floats(5000, 2)), gradient(5000, -2.0F);
  gradient[4999] = 7;
  history.bind(5000, state);
  const cpu::GradientSize size = history.look(gradient);
  CHECK(size.squared == 4 * 4999 + 49);
  CHECK(size.absolute == 2 * 4999 + 7);
  CHECK(size.max_abs == 7);
}

TEST_CASE("A history without pairs proposes steepest descent, also after forgetting") {
  LbfgsHistory history(2);
  std::vector<float> state(LbfgsHistory::state_floats(3, 2)), x(3), copy(3), other(3), direction(3);
  const std::vector<float> gradient = {1, -2, 3}, before = {2, 2, 2};
  history.bind(3, state);
  history.look(gradient);
  history.learn(1, before, before, gradient);
  CHECK_FALSE(history.empty());
  history.forget();
  CHECK(history.empty());
  CHECK(history.propose(gradient, direction, x, copy, other).slope == -14);
  CHECK(direction == std::vector<float>{-1, 2, -3});
}
