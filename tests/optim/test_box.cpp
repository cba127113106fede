// Minima in a box: known ones of Hock and Schittkowski's collection, and the Karush-Kuhn-Tucker conditions.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/optim/functions.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

constexpr float far = 1e6F;

/// A method with a box, on a problem whose start is brought into it.
Run in_box(const cpu::Box& box, Problem problem, bool adam = false, double rate = 1) {
  cpu::clamp(box, problem.start);
  AdamOptions adam_options;
  adam_options.box = box;
  adam_options.learning_rate = rate;
  LbfgsOptions lbfgs_options;
  lbfgs_options.box = box;
  lbfgs_options.learning_rate = rate;
  return {adam ? make_adam(adam_options) : make_lbfgs(lbfgs_options), std::move(problem)};
}

bool inside(const cpu::Box& box, const std::vector<float>& x) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] < box.low[i % 3] || x[i] > box.high[i % 3]) return false;
  return true;
}

/// The largest element of the gradient that could still be followed.
double left_to_do(const cpu::Box& box, const Problem& problem, const std::vector<float>& x) {
  std::vector<double> gradient(x.size());
  problem.function({x.begin(), x.end()}, gradient);
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool held =
        (x[i] <= box.low[i % 3] && gradient[i] > 0) || (x[i] >= box.high[i % 3] && gradient[i] < 0);
    if (!held) most = std::max(most, std::abs(gradient[i]));
  }
  return most;
}

struct Known {
  const char* name;
  cpu::Box box;
  Problem problem;
  double minimum;
};

/// From HS2's own start the minimum nearby is the local one, 4.9412; it begins on the other side here.
/// The numbers of the collection ("Test Examples for Nonlinear Programming Codes", 1981).
std::vector<Known> known() {
  const auto rosenbrock2 = [](const auto& x, auto& g) {
    const double a = x[1] - x[0] * x[0], b = 1 - x[0];
    g = {-400 * a * x[0] - 2 * b, 200 * a};
    return 100 * a * a + b * b;
  };
  return {{"HS1", {{-far, -1.5F, -far}, {far, far, far}}, {rosenbrock2, {-2, 1}}, 0},
          {"HS2", {{-far, 1.5F, -far}, {far, far, far}}, {rosenbrock2, {1, 2}}, 0.0504261879},
          {"HS3",
           {{-far, 0, -far}, {far, far, far}},
           {[](const auto& x, auto& g) {
              const double d = x[1] - x[0];
              g = {-2e-5 * d, 1 + 2e-5 * d};
              return x[1] + 1e-5 * d * d;
            },
            {10, 1}},
           0},
          {"HS4",
           {{1, 0, -far}, {far, far, far}},
           {[](const auto& x, auto& g) {
              g = {(x[0] + 1) * (x[0] + 1), 1.0};
              return std::pow(x[0] + 1, 3) / 3 + x[1];
            },
            {1.125F, 0.125F}},
           8.0 / 3},
          {"HS5",
           {{-1.5F, -3, -far}, {4, 3, far}},
           {[](const auto& x, auto& g) {
              const double d = x[0] - x[1], c = std::cos(x[0] + x[1]);
              g = {c + 2 * d - 1.5, c - 2 * d + 2.5};
              return std::sin(x[0] + x[1]) + d * d - 1.5 * x[0] + 2.5 * x[1] + 1;
            },
            {0, 0}},
           -0.5 * std::sqrt(3.0) - 3.14159265358979 / 3},
          {"HS38, four variables",
           {{-10, -10, -10}, {10, 10, 10}},
           {[](const auto& x, auto& g) {
              const double a = x[1] - x[0] * x[0], b = x[3] - x[2] * x[2], p = x[1] - 1, q = x[3] - 1;
              g = {-400 * a * x[0] - 2 * (1 - x[0]), 200 * a + 20.2 * p + 19.8 * q,
                   -360 * b * x[2] - 2 * (1 - x[2]), 180 * b + 20.2 * q + 19.8 * p};
              return 100 * a * a + (1 - x[0]) * (1 - x[0]) + 90 * b * b + (1 - x[2]) * (1 - x[2]) +
                     10.1 * (p * p + q * q) + 19.8 * p * q;
            },
            {-3, -1, -3, -1}},
           0}};
}

}  // namespace

TEST_CASE("L-BFGS in a box finds the known minima") {
  for (Known& c : known()) {
    CAPTURE(c.name);
    Run run = in_box(c.box, c.problem);
    const StepResult result = run.finish(300);
    CHECK_FALSE(result.failed);
    CHECK(inside(c.box, run.x));
    CHECK(run.evaluate() == doctest::Approx(c.minimum).epsilon(1e-4).scale(1e-2));
    CHECK(run.evaluations < 200);
  }
}

TEST_CASE("Where elements do not depend on each other the minimum in a box is the clamped one") {
  const cpu::Box box{{-1, 0, -0.5F}, {1, 0.5F, 2}};
  Run run = in_box(box, quadratic(999));
  CHECK_FALSE(run.finish(200).failed);
  std::vector<float> expected = hashed(999, 2, -2, 2);
  cpu::clamp(box, expected);
  // The method stops when a step changes the loss by less than 1e-9 of it.
  const double found = run.evaluate();
  run.x = expected;
  CHECK(found == doctest::Approx(run.evaluate()).epsilon(1e-7));
}

TEST_CASE("L-BFGS in a box ends where the gradient leads out of it or is zero") {
  for (const std::size_t n : {2UL, 31UL, 4095UL, 10'001UL})
    for (const double rate : {1.0, 0.01, 30.0})
      for (const bool curved : {false, true}) {
        CAPTURE(n);
        CAPTURE(rate);
        CAPTURE(curved);
        const cpu::Box box{{-0.4F, -1, 0.2F}, {0.9F, 0.3F, 0.7F}};
        const Problem problem = curved ? rosenbrock(n) : valley(n);
        Run run = in_box(box, problem, false, rate);
        std::vector<float> start = problem.start;
        cpu::clamp(box, start);
        const double before = left_to_do(box, problem, start);
        CHECK_FALSE(run.finish(400).failed);
        CHECK(inside(box, run.x));
        CHECK(left_to_do(box, problem, run.x) <= 1e-3 * before);
      }
}

TEST_CASE("No step in a box raises the loss or leaves it") {
  const cpu::Box box{{-0.4F, -1, 0.2F}, {0.9F, 0.3F, 0.7F}};
  for (const double rate : {1.0, 30.0}) {
    Run run = in_box(box, rosenbrock(3000), false, rate);
    double last = run.evaluate();
    for (int i = 0; i < 60; ++i) {
      const StepResult result = run.step();
      CHECK(result.loss <= last);
      CHECK(inside(box, run.x));
      last = result.loss;
      if (result.stopped) break;
    }
  }
}

TEST_CASE("In a box that nothing reaches L-BFGS finds the same minimum as without") {
  const cpu::Box box{{-far, -far, -far}, {far, far, far}};
  Run boxed = in_box(box, valley(500)), free(make_lbfgs({}), valley(500));
  boxed.finish(200);
  free.finish(200);
  CHECK(boxed.evaluate() == doctest::Approx(free.evaluate()).epsilon(1e-6));
  CHECK(boxed.evaluations <= free.evaluations + 10);
}

TEST_CASE("A loss that is not finite in a part of the box makes L-BFGS stay below it") {
  const cpu::Box box{{-5, -5, -5}, {5, 5, 5}};
  const Problem problem = {[](const auto& x, auto& gradient) {
                             double loss = 0;
                             for (std::size_t i = 0; i < x.size(); ++i) {
                               loss += x[i] - std::log(x[i]);
                               gradient[i] = x[i] > 0 ? 1 - 1 / x[i] : NAN;
                             }
                             return loss;
                           },
                           {0.01F, 3, 4.5F, 0.5F}};
  Run run = in_box(box, problem);
  CHECK_FALSE(run.finish(200).failed);
  for (const float x : run.x) CHECK(x == doctest::Approx(1).epsilon(1e-3));
}

TEST_CASE("A start in the corner that everything pushes into is the minimum, after one evaluation") {
  const cpu::Box box{{0, 0, 0}, {1, 1, 1}};
  Run run = in_box(box, {[](const auto&, auto& gradient) {
                           std::fill(gradient.begin(), gradient.end(), 1.0);
                           return 5.0;
                         },
                         std::vector<float>(30, 0.0F)});
  const StepResult result = run.step();
  CHECK(result.stopped);
  CHECK_FALSE(result.moved);
  CHECK(result.evaluations == 1);
}

TEST_CASE("Adam in a box is Adam with a clamp after each step") {
  const cpu::Box box{{-1, 0, -0.5F}, {1, 0.5F, 2}};
  Problem problem = valley(500);
  cpu::clamp(box, problem.start);
  AdamOptions options;
  options.learning_rate = 0.3;
  const auto free = make_adam(options);
  std::vector<float> x = problem.start, gradient(500), state(free->state_floats(500));
  free->bind(500, state);
  options.box = box;
  Run boxed(make_adam(options), problem);
  for (int i = 0; i < 40; ++i) {
    free->step(i, x, gradient, [&] {
      std::vector<double> wide(500);
      const double loss = problem.function({x.begin(), x.end()}, wide);
      std::copy(wide.begin(), wide.end(), gradient.begin());
      return Evaluated{loss, i};
    });
    cpu::clamp(box, x);
    boxed.step();
    REQUIRE(boxed.x == x);
  }
  CHECK(inside(box, x));
}

TEST_CASE("L-BFGS in a box gives the same bits for any number of threads") {
  const auto curve = [](int threads) {
    ThreadScope scope(threads);
    const cpu::Box box{{-0.4F, -1, 0.2F}, {0.9F, 0.3F, 0.7F}};
    Run run = in_box(box, valley(100'003));
    scope.execute([&] { run.losses(8); });
    return run.x;
  };
  const std::vector<float> one = curve(1);
  CHECK(curve(2) == one);
  CHECK(curve(3) == one);
}
