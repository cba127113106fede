#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/optim/torch_curves.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

AdamOptions rate(double learning_rate) {
  AdamOptions options;
  options.learning_rate = learning_rate;
  options.epsilon = 1e-8;
  return options;
}

}  // namespace

TEST_CASE("Adam follows torch.optim.Adam") {
  check_follows_torch("adam", make_adam(rate(0.3)), false);
  AdamOptions other = rate(0.1);
  other.beta1 = 0.8, other.beta2 = 0.99, other.epsilon = 1e-3;
  check_follows_torch("adam with other betas", make_adam(other), false);
}

TEST_CASE("Adam's rate falls in steps, as with torch's StepLR") {
  AdamOptions options = rate(0.3);
  options.learning_rate.decay = LearningRate::Decay::steps;
  options.learning_rate.factor = 0.5, options.learning_rate.every = 20;
  check_follows_torch("adam with decay", make_adam(options), false);
}

TEST_CASE("Adam evaluates once a step and never stops by itself") {
  Run run(make_adam(rate(0.1)), quadratic(50));
  for (int i = 0; i < 20; ++i) {
    const StepResult result = run.step();
    CHECK(result.evaluations == 1);
    CHECK_FALSE(result.stopped);
  }
  CHECK(run.evaluations == 20);
}

TEST_CASE("Adam's first step moves every element by the rate, against its gradient") {
  Run run(make_adam(rate(0.25)), quadratic(100));
  const std::vector<float> before = run.x;
  run.step();
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(std::abs(run.x[i] - before[i]) == doctest::Approx(0.25).epsilon(1e-5));
}

TEST_CASE("Adam stops at a gradient that is not finite") {
  Run run(make_adam(rate(0.4)), {[](const auto&, auto& gradient) {
                                   gradient[0] = std::nan("");
                                   return 1.0;
                                 },
                                 {5}});
  const StepResult result = run.step();
  CHECK(result.failed);
  CHECK(result.reason == "the gradient is not finite at the very start");
  CHECK(run.x[0] == 5);
}

TEST_CASE("bind() begins anew, whatever is in the memory") {
  const auto method = make_adam(rate(0.3));
  std::vector<float> state(method->state_floats(4), NAN), gradient = {1, -2, 3, -4};
  const auto first_step = [&] {
    std::vector<float> x(4, 0.0F);
    method->bind(4, state);
    for (int i = 0; i < 3; ++i) method->step(i, x, gradient, [] { return Evaluated{1, 0}; });
    return x;
  };
  const std::vector<float> first = first_step();
  CHECK(first_step() == first);
}

TEST_CASE("Adam gives the same bits for any number of threads") {
  const auto curve = [](int threads) {
    ThreadScope scope(threads);
    Run run(make_adam(rate(0.3)), valley(100'000));
    scope.execute([&] { run.losses(5); });
    return run.x;
  };
  CHECK(curve(1) == curve(4));
}
