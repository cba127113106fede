#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/optim/torch_curves.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

LbfgsOptions options_with(int history, double learning_rate = 1) {
  LbfgsOptions options;
  options.history = history;
  options.learning_rate = learning_rate;
  return options;
}

/// The same problem with its loss multiplied.
Problem scaled(Problem problem, double factor) {
  return {[problem, factor](const auto& x, auto& gradient) {
            const double loss = problem.function(x, gradient);
            for (double& g : gradient) g *= factor;
            return loss * factor;
          },
          problem.start};
}

/// sum of -log(x) + x: not finite for x <= 0.
Problem barrier(std::vector<float> start) {
  return {[](const auto& x, auto& gradient) {
            double loss = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
              loss += x[i] - std::log(x[i]);
              gradient[i] = x[i] > 0 ? 1 - 1 / x[i] : NAN;
            }
            return loss;
          },
          std::move(start)};
}

}  // namespace

TEST_CASE("L-BFGS follows torch.optim.LBFGS with strong Wolfe line search") {
  check_follows_torch("lbfgs quadratic", make_lbfgs(options_with(10)), true);
  check_follows_torch("lbfgs quadratic, short history", make_lbfgs(options_with(3)), true);
  check_follows_torch("lbfgs rosenbrock", make_lbfgs(options_with(10)), true);
  check_follows_torch("lbfgs valley", make_lbfgs(options_with(5)), true);
}

TEST_CASE("Rates that make the line search extrapolate or shrink follow torch, too") {
  check_follows_torch("lbfgs valley, small rate", make_lbfgs(options_with(5, 0.3)), true);
  check_follows_torch("lbfgs valley, large rate", make_lbfgs(options_with(5, 30)), true);
}

TEST_CASE("A step reports the loss before it and what it cost; most cost one evaluation") {
  Run run(make_lbfgs(options_with(10)), valley(500));
  double loss = run.evaluate();
  run.evaluations = 0;
  int total = 0;
  for (int i = 0; i < 15; ++i) {
    const StepResult result = run.step();
    total += result.evaluations;
    CHECK(result.loss == loss);
    CHECK(run.evaluations == total);
    loss = run.evaluate();
    --run.evaluations;
  }
  CHECK(total <= 20);
}

TEST_CASE("L-BFGS finds the minimum and says that it has converged") {
  Run run(make_lbfgs(options_with(10)), quadratic(1000));
  const StepResult result = run.finish();
  CHECK(result.stopped);
  CHECK_FALSE(result.failed);
  CHECK(result.reason != "");
  CHECK(result.loss < 1e-6);
  Run curved(make_lbfgs(options_with(10)), rosenbrock(2));
  CHECK_FALSE(curved.finish().failed);
  CHECK(curved.x[0] == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("Starting at the minimum is convergence, with one evaluation") {
  Problem problem = rosenbrock(2);
  problem.start = {1, 1};
  Run run(make_lbfgs(options_with(10)), problem);
  const StepResult result = run.step();
  CHECK(result.stopped);
  CHECK(result.evaluations == 1);
  CHECK(result.reason.find("converged") == 0);
  CHECK(run.x == std::vector<float>{1, 1});
}

TEST_CASE("A tiny loss is minimised like a large one") {
  for (const double factor : {1e-12, 1e-6, 1e6}) {
    CAPTURE(factor);
    Run run(make_lbfgs(options_with(10)), scaled(quadratic(1000), factor));
    const double before = run.evaluate();
    const StepResult result = run.finish(200);
    CHECK_FALSE(result.failed);
    CHECK(result.loss < 1e-8 * before);
  }
}

TEST_CASE("The line search backs off from where the loss is not finite") {
  Run run(make_lbfgs(options_with(5)), barrier({0.01F, 3, 8, 0.5F}));
  const StepResult result = run.finish(200);
  CHECK_FALSE(result.failed);
  for (const float x : run.x) CHECK(x == doctest::Approx(1).epsilon(1e-3));
}

TEST_CASE("A loss that is finite nowhere but at the start fails, with x as it was") {
  Run run(make_lbfgs(options_with(5)), {[](const auto& x, auto& gradient) {
                                          gradient[0] = 1;
                                          return x[0] == 2 ? 1.0 : NAN;
                                        },
                                        {2}});
  const StepResult result = run.finish(5);
  CHECK(result.failed);
  CHECK(result.reason == "the loss or its gradient is not finite anywhere near");
  CHECK(run.x[0] == 2);
  CHECK(run.evaluations <= 26);
}

TEST_CASE("A start that is not finite fails at once") {
  Run run(make_lbfgs(options_with(5)), barrier({-1}));
  const StepResult result = run.step();
  CHECK(result.stopped);
  CHECK(result.failed);
  CHECK(result.evaluations == 1);
  CHECK(run.x[0] == -1);
}

TEST_CASE("A line search that finds nothing lower forgets the history; a second one ends the run") {
  // After a few good steps the gradient lies: it points uphill.
  int calls = 0;
  Problem problem = valley(100);
  Run run(make_lbfgs(options_with(5)), {[&calls, honest = problem.function](const auto& x, auto& gradient) {
                                          const double loss = honest(x, gradient);
                                          if (++calls > 6)
                                            for (double& g : gradient) g = -g;
                                          return loss;
                                        },
                                        problem.start});
  double lowest = run.evaluate();
  StepResult result;
  bool restarted = false;
  for (int i = 0; i < 50 && !result.stopped; ++i) {
    result = run.step();
    restarted = restarted || result.restarted;
    CHECK(result.loss <= lowest);
    lowest = result.loss;
  }
  CHECK(restarted);
  CHECK(result.stopped);
  CHECK_FALSE(result.failed);
  CHECK(run.evaluate() == lowest);
}

TEST_CASE("One evaluation a line search is enough when the first try is good") {
  LbfgsOptions options = options_with(10);
  options.max_evaluations = 1;
  Run run(make_lbfgs(options), valley(500));
  for (int i = 0; i < 10; ++i) CHECK(run.step().evaluations <= 2);
  CHECK(run.evaluate() < 1000);
}

TEST_CASE("A step leaves the gradient of the point it ends at") {
  // A rate that makes every line search shrink and extrapolate: the best point is often not the last.
  LbfgsOptions options = options_with(5, 30);
  options.max_evaluations = 2;
  Problem problem = valley(300);
  const auto method = make_lbfgs(options);
  std::vector<float> state(method->state_floats(300)), x = problem.start, gradient(300);
  method->bind(300, state);
  std::vector<double> wide_gradient(300);
  const auto evaluate = [&] {
    const double loss = problem.function({x.begin(), x.end()}, wide_gradient);
    std::copy(wide_gradient.begin(), wide_gradient.end(), gradient.begin());
    return Evaluated{loss, 0};
  };
  for (int i = 0; i < 20; ++i) {
    const StepResult result = method->step(i, x, gradient, evaluate);
    if (result.stopped) break;
    const std::vector<float> left = gradient;
    evaluate();
    CHECK(left == gradient);
  }
}

TEST_CASE("L-BFGS gives the same bits for any number of threads, and twice in a row") {
  const auto curve = [](int threads) {
    ThreadScope scope(threads);
    Run run(make_lbfgs(options_with(4)), valley(100'003));
    scope.execute([&] { run.losses(8); });
    return run.x;
  };
  const std::vector<float> one = curve(1);
  CHECK(curve(1) == one);
  CHECK(curve(3) == one);
}

TEST_CASE("Impossible options are refused") {
  CHECK_THROWS_AS(make_lbfgs(options_with(0)), std::invalid_argument);
  LbfgsOptions none;
  none.max_evaluations = 0;
  CHECK_THROWS_AS(make_lbfgs(none), std::invalid_argument);
}
