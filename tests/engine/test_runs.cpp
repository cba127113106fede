// Runs as a whole: the same bits whatever runs them, nothing left over between iterations, errors that name
// their node.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/compile/passes.h"
#include "framework/graph/lower.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::string transfer(int iterations = 4) {
  return small_transfer("method: adam, learning_rate: 0.1, iterations: " + std::to_string(iterations));
}

struct Way {
  int threads = 2;
  ExecutorKind executor = ExecutorKind::flow;
  bool poison = false;
};

std::vector<float> run_with(const Way& way, const std::string& yaml = transfer()) {
  const TemporaryFolder folder;
  return result_of(run(yaml.substr(0, yaml.find("unused.png")) + (folder / "unused.png") +
                           yaml.substr(yaml.find("unused.png") + 10),
                       test_nodes(shipped_library()),
                       {.executor = way.executor, .before_stage = way.poison ? poison_free_memory : nullptr},
                       way.threads));
}

std::vector<int> loop_operations(const Plan& plan) {
  std::vector<int> operations;
  const Plan::Range& range = plan.sections[loop_section(0)];
  for (std::size_t i = range.begin; i < range.end; ++i) operations.push_back(static_cast<int>(i));
  return operations;
}

/// The stage's plan without rematerialise().
Plan plan_that_keeps_everything(CompiledStage& stage) {
  Diagnostics found;
  Lowered lowered = lower(stage.graph, found);
  stage.run_state = lowered.run_state;
  ThreadScope threads(stage.plan.workers);
  Plan plan;
  threads.execute([&] {
    differentiate(lowered.program);
    eliminate(lowered.program);
    place(lowered.program, stage.plan.devices);
    fuse(lowered.program, stage.plan.devices);
    schedule(lowered.program);
    plan = make_plan(std::move(lowered.program), stage.plan.devices);
  });
  return plan;
}

}  // namespace

TEST_CASE("threads and executors do not change a bit") {
  const std::vector<float> reference = run_with({.threads = 1, .executor = ExecutorKind::serial});
  CHECK(run_with({.threads = 2, .executor = ExecutorKind::serial}) == reference);
  CHECK(run_with({.threads = 1, .executor = ExecutorKind::flow}) == reference);
  for (int again = 0; again < 5; ++again)
    CHECK(run_with({.threads = 2, .executor = ExecutorKind::flow}) == reference);
  for (int again = 0; again < 5; ++again) {
    CHECK(run_with({.threads = 3, .executor = ExecutorKind::serial}) == reference);
    CHECK(run_with({.threads = 3, .executor = ExecutorKind::flow}) == reference);
  }
}

TEST_CASE("an iteration reads nothing that the one before left behind") {
  for (const char* method : {"method: adam, iterations: 4", "method: lbfgs, iterations: 4"}) {
    const std::vector<float> clean = run_with({.executor = ExecutorKind::serial}, small_transfer(method));
    CHECK(run_with({.executor = ExecutorKind::serial, .poison = true}, small_transfer(method)) == clean);
    CHECK(run_with({.executor = ExecutorKind::flow, .poison = true}, small_transfer(method)) == clean);
  }
}

TEST_CASE("what is made again for going back saves memory and changes no bit") {
  Diagnostics warnings;
  const NodeTypes types = test_nodes(shipped_library());
  const TemporaryFolder folder;
  std::string yaml = small_transfer("method: adam, iterations: 2", 512, 512);  // relu1_1: 16 MiB
  yaml.replace(yaml.find("unused.png"), 10, folder / "unused.png");
  auto kept = compile_stages(pipeline(yaml), types, warnings);
  auto again = compile_stages(pipeline(yaml), types, warnings);
  kept[0]->plan = plan_that_keeps_everything(*kept[0]);
  const auto repeated = [](const Plan& plan) {
    return std::count_if(plan.program.operations.begin(), plan.program.operations.end(),
                         [](const Operation& operation) { return operation.repeated; });
  };
  REQUIRE(repeated(kept[0]->plan) == 0);
  REQUIRE(repeated(again[0]->plan) == 1);
  CHECK(again[0]->plan.arena_bytes < kept[0]->plan.arena_bytes * 3 / 4);
  CHECK(result_of(run_stages(std::move(again), {.before_stage = poison_free_memory})) ==
        result_of(run_stages(std::move(kept), {})));
}

TEST_CASE("a throw in any operation names the node and its line, and the plan runs again") {
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::flow}) {
    Diagnostics warnings;
    const TemporaryFolder folder;
    const NodeTypes types = test_nodes(shipped_library());
    const auto stage = compile_stage(pipeline(transfer()), types, 0, warnings, 2);
    REQUIRE(stage != nullptr);
    ThreadScope threads(2);
    threads.execute([&] {
      Session session(*stage, {.executor = executor});
      session.begin();
      PreparedPlan& prepared = session.prepared();
      const std::vector<int> loop = loop_operations(stage->plan);
      const std::unique_ptr<Executor> runner = make_executor(executor, prepared);
      const int second = runner->add(loop);
      runner->run(second);
      const TensorView gradient = session.gradient();
      const std::vector<float> expected(gradient.floats().begin(), gradient.floats().end());
      for (const int broken : loop) {
        const Operation& operation = stage->plan.program.operations[static_cast<std::size_t>(broken)];
        prepared.before_operation = [&](const Operation& now) {
          if (&now == &operation) throw std::runtime_error("on purpose");
        };
        std::string message;
        try {
          runner->run(second);
        } catch (const RunError& error) {
          message = error.what();
        }
        CHECK(message.find(operation.origin.span.to_string()) != std::string::npos);
        CHECK(message.find("'" + operation.origin.node + "'") != std::string::npos);
        CHECK(message.find("on purpose") != std::string::npos);
        prepared.before_operation = nullptr;
      }
      runner->run(second);
      CHECK(std::vector<float>(gradient.floats().begin(), gradient.floats().end()) == expected);
    });
  }
}

TEST_CASE("the gradient of a whole pipeline agrees with finite differences") {
  Diagnostics warnings;
  const NodeTypes types = test_nodes(shipped_library());
  const auto stage =
      compile_stage(pipeline(small_transfer("method: adam, iterations: 1", 33, 26)), types, 0, warnings, 2);
  REQUIRE(stage != nullptr);
  ThreadScope threads(2);
  Session session(*stage, {});
  session.begin();
  const auto runner = make_serial_executor(session.prepared());
  const int second = runner->add(loop_operations(stage->plan));
  const Loop& the_loop = stage->plan.program.loops.front();
  const std::span<float> canvas = session.canvas().floats();
  const std::vector<float> start(canvas.begin(), canvas.end());
  const auto loss_at = [&](const std::vector<float>& direction, float step) {
    for (std::size_t i = 0; i < canvas.size(); ++i) canvas[i] = start[i] + step * direction[i];
    runner->run(second);
    double total = 0;
    for (const LossTerm& term : the_loop.losses) total += *session.prepared().view(term.tensor).f64();
    return total;
  };
  loss_at(std::vector<float>(canvas.size(), 0.0F), 0);
  const std::span<float> gradient_now = session.gradient().floats();
  const std::vector<float> gradient(gradient_now.begin(), gradient_now.end());
  const auto norm = [](const std::vector<float>& v) {
    double sum = 0;
    for (const float value : v) sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum);
  };
  // The gradient itself, and its four quarters: directions whose slopes are large. Steps are large against
  // the rounding of floats and small against the kinks of ReLU, pooling and total variation.
  for (std::size_t k = 0; k < 5; ++k) {
    std::vector<float> direction = gradient;
    const std::size_t quarter = direction.size() / 4;
    for (std::size_t i = 0; i < direction.size(); ++i)
      if (k > 0 && i / quarter != k - 1) direction[i] = 0;
    double slope = 0;
    for (std::size_t i = 0; i < direction.size(); ++i)
      slope += static_cast<double>(gradient[i]) * static_cast<double>(direction[i]);
    const auto step = static_cast<float>(0.01 / norm(direction));
    const double difference =
        (loss_at(direction, step) - loss_at(direction, -step)) / (2.0 * static_cast<double>(step));
    CHECK(std::abs(difference - slope) <= 2e-3 * std::abs(slope));
  }
}
