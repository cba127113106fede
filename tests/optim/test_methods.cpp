// What is built around the methods, and what they do when things go wrong.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/optim/functions.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

Problem times(Problem problem, double factor) {
  return {[problem, factor](const auto& x, auto& gradient) {
            const double loss = problem.function(x, gradient);
            for (double& g : gradient) g *= factor;
            return loss * factor;
          },
          problem.start};
}

AdamOptions with_rate(double rate) {
  AdamOptions options;
  options.learning_rate = rate;
  return options;
}

/// sum (x - 1)^2 / 2, not finite where x > `wall`.
Problem walled(double wall, std::vector<float> start) {
  return {[wall](const auto& x, auto& gradient) {
            double loss = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
              gradient[i] = x[i] - 1;
              loss += x[i] > wall ? NAN : 0.5 * gradient[i] * gradient[i];
            }
            return loss;
          },
          std::move(start)};
}

/// Torch7's optim.lbfgs without line search, as neural-style calls it, in double.
std::vector<double> torch7_losses(const Problem& problem, int steps, std::size_t history, double rate) {
  std::vector<double> x(problem.start.begin(), problem.start.end()), g(x.size()), g_old, d(x.size()), losses;
  std::vector<std::vector<double>> dirs, stps;
  const auto dot = [](const auto& a, const auto& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  };
  double t = 0, scale = 1;
  losses.push_back(problem.function(x, g));
  for (int n = 1; n <= steps; ++n) {
    if (n == 1) {
      for (std::size_t i = 0; i < x.size(); ++i) d[i] = -g[i];
    } else {
      std::vector<double> y(x.size()), s(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = g[i] - g_old[i], s[i] = d[i] * t;
      if (dot(y, s) > 1e-10) {
        if (dirs.size() == history) dirs.erase(dirs.begin()), stps.erase(stps.begin());
        dirs.push_back(y), stps.push_back(s);
        scale = dot(y, s) / dot(y, y);
      }
      std::vector<double> q(x.size()), al(dirs.size());
      for (std::size_t i = 0; i < x.size(); ++i) q[i] = -g[i];
      for (std::size_t k = dirs.size(); k-- > 0;) {
        al[k] = dot(stps[k], q) / dot(dirs[k], stps[k]);
        for (std::size_t i = 0; i < x.size(); ++i) q[i] -= al[k] * dirs[k][i];
      }
      for (double& v : q) v *= scale;
      for (std::size_t k = 0; k < dirs.size(); ++k) {
        const double be = dot(dirs[k], q) / dot(dirs[k], stps[k]);
        for (std::size_t i = 0; i < x.size(); ++i) q[i] += (al[k] - be) * stps[k][i];
      }
      d = q;
    }
    g_old = g;
    double absolute = 0;
    for (const double v : g) absolute += std::abs(v);
    t = n == 1 ? std::min(1.0, 1 / absolute) * rate : rate;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += t * d[i];
    losses.push_back(problem.function(x, g));
  }
  return losses;
}

}  // namespace

TEST_CASE("Adam's own epsilon makes a loss in any unit lead the same way") {
  const Problem problem = valley(3000);
  Run plain(make_adam(with_rate(0.3)), problem);
  const std::vector<double> losses = plain.losses(30);
  for (const double factor : {1e-6, 1e-15, 1e-25, 1e6, 1e20}) {
    CAPTURE(factor);
    Run scaled(make_adam(with_rate(0.3)), times(problem, factor));
    for (const double loss : losses)
      CHECK(scaled.step().loss == doctest::Approx(loss * factor).epsilon(1e-3));
  }
  Run doubled(make_adam(with_rate(0.3)), times(problem, 0x1p-20));
  doubled.losses(30);
  CHECK(doubled.x == plain.x);  // a power of two changes no bit
}

TEST_CASE("A given epsilon is PyTorch's: a tiny loss leads elsewhere") {
  AdamOptions options = with_rate(0.3);
  options.epsilon = 1e-8;
  Run plain(make_adam(options), valley(300)), tiny(make_adam(options), times(valley(300), 1e-9));
  CHECK(plain.losses(30).back() < 0.5 * plain.losses(1).front() + 1e9);
  plain.losses(30);
  tiny.losses(60);
  CHECK(tiny.x != plain.x);
}

TEST_CASE("Adam with its own epsilon survives a gradient that is zero, and one that grows without bounds") {
  Run still(make_adam(with_rate(0.3)), {[](const auto&, auto& gradient) {
                                          std::fill(gradient.begin(), gradient.end(), 0.0);
                                          return 1.0;
                                        },
                                        {1, 2, 3}});
  still.losses(5);
  CHECK(still.x == std::vector<float>{1, 2, 3});
  double factor = 1;
  Run growing(make_adam(with_rate(0.1)), {[&factor](const auto& x, auto& gradient) {
                                            for (std::size_t i = 0; i < x.size(); ++i)
                                              gradient[i] = factor * x[i];
                                            factor *= 1e4;
                                            return 1.0;
                                          },
                                          {1, -2, 3}});
  for (int i = 0; i < 9; ++i) {
    const std::vector<float> before = growing.x;
    CHECK_FALSE(growing.step().stopped);
    CHECK(growing.x != before);
    for (const float x : growing.x) CHECK(std::isfinite(x));
  }
}

TEST_CASE("Adam goes back from a loss that is not finite and on in smaller steps, to the minimum") {
  Run run(make_adam(with_rate(0.8)), walled(1.3, {0.5F, -0.2F, 0.9F}));
  bool back = false;
  for (int i = 0; i < 200; ++i) {
    const std::vector<float> before = run.x;
    const StepResult result = run.step();
    REQUIRE_FALSE(result.stopped);
    CHECK(result.evaluations == 1);
    if (result.went_back) {
      CHECK_FALSE(std::isfinite(result.loss));
      CHECK(result.reason.find("back to the last picture") != std::string::npos);
      back = true;
    }
  }
  CHECK(back);
  for (const float x : run.x) CHECK(x == doctest::Approx(1).epsilon(0.05));
}

TEST_CASE("Adam fails when nothing near is finite, with x at the last point that was") {
  Run run(make_adam(with_rate(0.3)), {[](const auto& x, auto& gradient) {
                                        gradient[0] = 1;
                                        return x[0] == 2 ? 1.0 : NAN;
                                      },
                                      {2}});
  const StepResult result = run.finish(100);
  CHECK(result.failed);
  CHECK(result.reason.find("learning rate") != std::string::npos);
  CHECK(run.x[0] == 2);
}

TEST_CASE("The average is what its formula says, and x is as it was when it is concealed") {
  const double decay = 0.9;
  auto method = averaged(make_adam(with_rate(0.3)), decay);
  Problem problem = valley(500);
  std::vector<float> x = problem.start, gradient(500), state(method->state_floats(500), NAN);
  method->bind(500, state);
  CHECK_FALSE(method->shows_other());
  std::vector<double> sum(500);
  const auto add = [&] {
    for (std::size_t i = 0; i < 500; ++i) sum[i] = decay * sum[i] + (1 - decay) * static_cast<double>(x[i]);
  };
  add();
  for (int k = 1; k <= 30; ++k) {
    method->step(k - 1, x, gradient, [&] {
      std::vector<double> wide(500);
      const double loss = problem.function({x.begin(), x.end()}, wide);
      std::copy(wide.begin(), wide.end(), gradient.begin());
      return Evaluated{loss, k};
    });
    add();
    const std::vector<float> before = x;
    method->show(x);
    for (std::size_t i = 0; i < 500; ++i)
      REQUIRE(static_cast<double>(x[i]) ==
              doctest::Approx(sum[i] / (1 - std::pow(decay, k + 1))).epsilon(1e-5).scale(1));
    method->conceal(x);
    REQUIRE(std::memcmp(x.data(), before.data(), 500 * sizeof(float)) == 0);
  }
}

TEST_CASE("A point that is not finite is in no average") {
  auto method = averaged(make_adam(with_rate(0.8)), 0.9);
  const Problem problem = walled(1.3, {0.9F});
  std::vector<float> x = problem.start, gradient(1), state(method->state_floats(1));
  method->bind(1, state);
  std::vector<double> good;
  for (int i = 0; i < 30; ++i) {
    const double at = static_cast<double>(x[0]);
    method->step(i, x, gradient, [&] {
      std::vector<double> wide(1);
      const double loss = problem.function({at}, wide);
      gradient[0] = static_cast<float>(wide[0]);
      if (std::isfinite(loss) && (good.empty() || good.back() != at)) good.push_back(at);
      return Evaluated{loss, i};
    });
  }
  std::vector<double> wide(1);
  if (std::isfinite(problem.function({static_cast<double>(x[0])}, wide)) &&
      static_cast<double>(x[0]) != good.back())
    good.push_back(static_cast<double>(x[0]));
  double sum = 0;
  for (const double point : good) sum = 0.9 * sum + 0.1 * point;
  method->show(x);
  const double last = 0.9 * 0 + sum / (1 - std::pow(0.9, static_cast<double>(good.size())));
  CHECK(static_cast<double>(x[0]) <= 1.31);
  CHECK(static_cast<double>(x[0]) == doctest::Approx(last).epsilon(0.02));
}

TEST_CASE("A plateau stops a method, a falling loss does not") {
  Run falling(stopping_on_plateau(make_adam(with_rate(0.01)), {1e-4, 5}), quadratic(100));
  for (int i = 0; i < 40; ++i) CHECK_FALSE(falling.step().stopped);
  Run flat(stopping_on_plateau(make_adam(with_rate(0.5)), {1e-3, 10}), quadratic(100));
  const StepResult result = flat.finish(1000);
  CHECK(result.stopped);
  CHECK_FALSE(result.failed);
  CHECK(result.reason.find("mean loss of the last 10 iterations") != std::string::npos);
}

TEST_CASE("Rates: steps, half a cosine, a beginning in equal parts") {
  LearningRate rate{0.8};
  CHECK(rate.at(0) == 0.8);
  rate.decay = LearningRate::Decay::steps, rate.factor = 0.5, rate.every = 10;
  CHECK(rate.at(9) == 0.8);
  CHECK(rate.at(20) == doctest::Approx(0.2));
  rate.decay = LearningRate::Decay::cosine, rate.to = 0.25, rate.iterations = 100;
  CHECK(rate.at(0) == doctest::Approx(0.8));
  CHECK(rate.at(50) == doctest::Approx(0.5));
  CHECK(rate.at(100) == doctest::Approx(0.2));
  CHECK(rate.at(500) == doctest::Approx(0.2));
  rate = LearningRate{0.8};
  rate.warm_up = 4;
  for (int i = 0; i < 8; ++i) CHECK(rate.at(i) == doctest::Approx(0.8 * std::min(1.0, (i + 1) / 4.0)));
}

TEST_CASE("Without a line search L-BFGS is Torch7's optim.lbfgs") {
  for (const double rate : {1.0, 0.5}) {
    CAPTURE(rate);
    LbfgsOptions options;
    options.line_search = false, options.history = 5, options.learning_rate = rate;
    const Problem problem = valley(300);
    Run run(make_lbfgs(options), problem);
    const std::vector<double> expected = torch7_losses(problem, 12, 5, rate);
    for (std::size_t i = 0; i < 12; ++i) {
      CAPTURE(i);
      const StepResult result = run.step();
      CHECK(result.loss == doctest::Approx(expected[i]).epsilon(2e-4));
      CHECK(result.evaluations == (i == 0 ? 2 : 1));
    }
  }
}

TEST_CASE("Without a line search a step onto a loss that is not finite is halved until it is") {
  LbfgsOptions options;
  options.line_search = false, options.learning_rate = 20;
  Run run(make_lbfgs(options), walled(1.3, {0.5F, 0.7F}));
  const StepResult result = run.step();
  CHECK_FALSE(result.stopped);
  CHECK(result.evaluations > 2);
  CHECK(result.reason.find("shorter") != std::string::npos);
  for (const float x : run.x) CHECK(x <= 1.3F);
}

TEST_CASE("Moments are handed on: a run that takes them over goes on like the one that gave them") {
  const Problem problem = valley(600);
  AdamOptions options = with_rate(0.1);
  const auto first = make_adam(options), second = make_adam(options);
  std::vector<float> x = problem.start, gradient(600), state(first->state_floats(600)), other(state.size());
  first->bind(600, state);
  const auto evaluate = [&] {
    std::vector<double> wide(600);
    const double loss = problem.function({x.begin(), x.end()}, wide);
    std::copy(wide.begin(), wide.end(), gradient.begin());
    return Evaluated{loss, 0};
  };
  for (int i = 0; i < 20; ++i) first->step(i, x, gradient, evaluate);
  second->bind(600, other);
  const Moments from = *first->moments(), to = *second->moments();
  std::copy(from.first.begin(), from.first.end(), to.first.begin());
  std::copy(from.second.begin(), from.second.end(), to.second.begin());
  second->go_on_from(from);
  const std::vector<float> start = x;
  first->step(20, x, gradient, evaluate);
  const std::vector<float> expected = x;
  x = start;
  second->step(20, x, gradient, evaluate);
  CHECK(x == expected);
}
