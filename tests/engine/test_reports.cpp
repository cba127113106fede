// What an iteration reports is what the evaluation that its step started from found.
#include <doctest/doctest.h>

#include <cmath>

#include "framework/base/error.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const char* const nodes[] = {"content_loss", "style_loss", "tv_loss"};

/// Runs a small transfer to its end or failure; returns what was reported. Nothing is saved.
Recorder reports_of(const std::string& method, bool fails) {
  std::string yaml = small_transfer(method, 40, 33);
  yaml.resize(yaml.find("  save:"));
  Recorder recorder;
  const NodeTypes types = test_nodes(shipped_library());
  if (fails)
    CHECK_THROWS_AS(run(yaml, types, {.observers = {&recorder}}), RunError);
  else
    run(yaml, types, {.observers = {&recorder}});
  return recorder;
}

double sum_of_losses(const Recorder& recorder, std::size_t iteration) {
  double sum = 0;
  for (const char* node : nodes) sum += recorder.loss(iteration, node);
  return sum;
}

}  // namespace

TEST_CASE("losses reported beside a total that is not a number are those of that evaluation") {
  const Recorder recorder =
      reports_of("method: adam, learning_rate: 3e38, iterations: 40, clamp: false", true);
  REQUIRE(recorder.iterations().size() > 2);
  CHECK(std::isfinite(recorder.iterations()[0].total));
  CHECK(std::isnan(recorder.iterations()[1].total));
  CHECK(std::isnan(sum_of_losses(recorder, 1)));
  CHECK(recorder.loss(1, "tv_loss") != recorder.loss(0, "tv_loss"));
}

TEST_CASE("a line search of any length does not lose the losses of its start") {
  // From 1e60 the search has to shrink a hundred times before anything is finite.
  const Recorder recorder = reports_of(
      "method: lbfgs, clamp: false, learning_rate: 1e60, max_evaluations: 200, iterations: 3", false);
  REQUIRE(recorder.iterations().size() == 3);
  CHECK(recorder.iterations()[0].evaluations > 90);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(recorder.iterations()[i].total == doctest::Approx(sum_of_losses(recorder, i)).epsilon(1e-12));
    if (i > 0) CHECK(recorder.iterations()[i].total < recorder.iterations()[i - 1].total);
  }
}

TEST_CASE("losses add up to the total in every iteration of both methods") {
  for (const char* method : {"method: adam, learning_rate: 0.1, iterations: 6",
                             "method: lbfgs, learning_rate: 20, max_evaluations: 4, iterations: 10"}) {
    const Recorder recorder = reports_of(method, false);
    for (std::size_t i = 0; i < recorder.iterations().size(); ++i)
      CHECK(recorder.iterations()[i].total == doctest::Approx(sum_of_losses(recorder, i)).epsilon(1e-12));
  }
}
