// A run that was stopped anywhere and goes on in another process is the run that was not, to the bit.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <cstring>

#include "framework/base/error.h"
#include "framework/exec/checkpoint_keeper.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::string without_save(std::string yaml) {
  yaml.resize(yaml.find("  save:"));
  return yaml;
}

std::string transfer(const std::string& method) { return without_save(small_transfer(method, 40, 32)); }

/// A transfer whose second optimiser goes on from the first one's picture, and a third beside them.
const std::string short_lbfgs = "method: lbfgs, iterations: 3, history: 2";

std::string three_optimizers(const std::string& first = "", const std::string& second = short_lbfgs) {
  std::string yaml = transfer("method: adam, learning_rate: 0.3, iterations: 4" + first);
  for (const char* name : {"second", "third"})
    yaml += fmt::format(
        "  {0}_features: {{type: VGGExtract, input: {0}.canvas}}\n"
        "  {0}_loss: {{type: ContentLoss, features: {0}_features, target: style_features, layers: [relu2_1], "
        "weight: 9}}\n"
        "  {0}: {{type: Optimizer, start: {1}, loss: [{0}_loss], {2}}}\n",
        name, std::string(name) == "second" ? "result" : "same",
        std::string(name) == "second" ? second : short_lbfgs);
  yaml += "  same: {type: FormulaInput, width: 48, height: 38, seed: 5}\n";
  yaml.replace(yaml.find("width: 48, height: 38, seed: 2"), 30, "width: 40, height: 32, seed: 2");
  yaml.replace(yaml.find("width: 48, height: 38, seed: 5"), 30, "width: 40, height: 32, seed: 5");
  return yaml;
}

std::string staged(std::string yaml) {
  return yaml +
         "schedule:\n"
         "  - {set: {nodes.result.iterations: 3, nodes.content_in.width: 24, nodes.start.width: 24}}\n"
         "  - {set: {nodes.result.iterations: 2}}\n"
         "  - {set: {nodes.result.iterations: 3, nodes.content_in.height: 40, nodes.start.height: 40}}\n";
}

struct Case {
  const char* name;
  std::string yaml;
};

std::vector<Case> cases() {
  return {
      {"adam", transfer("method: adam, learning_rate: 0.3, beta1: 0.8, iterations: 6")},
      {"adam whose rate falls", transfer("method: adam, decay: {factor: 0.5, every: 2}, iterations: 6")},
      {"lbfgs", transfer("method: lbfgs, iterations: 6")},
      {"lbfgs with a full history", transfer("method: lbfgs, history: 2, iterations: 6")},
      {"lbfgs with long line searches",
       transfer("method: lbfgs, learning_rate: 40, max_evaluations: 4, iterations: 5")},
      {"a schedule of adam", staged(transfer("method: adam, learning_rate: 0.3"))},
      {"a schedule of lbfgs", staged(transfer("method: lbfgs"))},
      {"three optimisers", three_optimizers()},
      {"averages, in the range of pictures", three_optimizers(", average: 0.8, clamp: true")},
      {"moments that are handed on",
       three_optimizers(", average: 0.8", "method: adam, iterations: 3, carry: moments")},
      {"averages in a schedule", staged(transfer("method: adam, learning_rate: 0.3, average: 0.7"))},
      {"three optimisers in a schedule", three_optimizers() +
                                             "schedule:\n  - {set: {nodes.result.iterations: 2}}\n"
                                             "  - {set: {nodes.second.iterations: 2}}\n"},
  };
}

/// Asks for a stop after so many iterations of the whole run.
class StopAfter final : public Observer {
 public:
  explicit StopAfter(int iterations) : left_(iterations) {}
  void iteration(const IterationReport&) override {
    if (--left_ == 0) stop = true;
  }
  std::atomic<bool> stop = false;

 private:
  int left_;
};

class Losses final : public Observer {
 public:
  void iteration(const IterationReport& report) override {
    values.push_back(fmt::format("{} {} {} {:a} {:a} {}", report.stage, report.loop, report.iteration,
                                 report.total, report.gradient_norm, report.evaluations));
    for (const ReportedLoss& loss : report.losses) values.back() += fmt::format(" {:a}", loss.value);
  }
  std::vector<std::string> values;
};

bool same_canvases(const RunSummary& a, const RunSummary& b) {
  if (a.canvases.size() != b.canvases.size()) return false;
  for (std::size_t i = 0; i < a.canvases.size(); ++i)
    if (a.canvases[i].values.size() != b.canvases[i].values.size() ||
        std::memcmp(a.canvases[i].values.data(), b.canvases[i].values.data(),
                    a.canvases[i].values.size() * 4) != 0)
      return false;
  return true;
}

CheckpointRhythm only_at_stop() { return {}; }

}  // namespace

TEST_CASE(
    "stopped after any iteration and taken up by another process with other threads: the same bits, the same "
    "reports") {
  const NodeTypes types = test_nodes(shipped_library());
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Losses expected_losses;
    RunOptions whole;
    whole.observers = {&expected_losses};
    const RunSummary expected = run(c.yaml, types, whole, 2);
    const int total = static_cast<int>(expected_losses.values.size());
    REQUIRE(total > 4);
    for (int stop_after = 1; stop_after < total; ++stop_after) {
      CAPTURE(stop_after);
      const TemporaryFolder folder;
      Losses losses;
      StopAfter stopper(stop_after);
      CheckpointKeeper keeper(folder / "checkpoint", only_at_stop(), {});
      RunOptions first;
      first.stop = &stopper.stop;
      first.observers = {&losses, &stopper};
      first.checkpoints = &keeper;
      REQUIRE_THROWS_AS(run(c.yaml, types, first, 2), Interrupted);
      const FoundCheckpoint found = CheckpointStore(folder / "checkpoint").find();
      REQUIRE(found.file != nullptr);
      RunOptions second;
      second.observers = {&losses};
      second.resume = found.file.get();
      second.executor = stop_after % 2 == 0 ? ExecutorKind::serial : ExecutorKind::flow;
      const RunSummary resumed = run(c.yaml, types, second, stop_after % 3 + 1);
      CHECK(same_canvases(resumed, expected));
      CHECK(losses.values == expected_losses.values);
    }
  }
}

TEST_CASE("stopped, taken up, stopped again before a new iteration: the checkpoint stays what it was") {
  const NodeTypes types = test_nodes(shipped_library());
  const std::string yaml = transfer("method: lbfgs, iterations: 5");
  const RunSummary expected = run(yaml, types);
  const TemporaryFolder folder;
  StopAfter stopper(3);
  CheckpointKeeper keeper(folder / "checkpoint", only_at_stop(), {});
  RunOptions options;
  options.stop = &stopper.stop;
  options.observers = {&stopper};
  options.checkpoints = &keeper;
  REQUIRE_THROWS_AS(run(yaml, types, options), Interrupted);
  {
    const FoundCheckpoint found = CheckpointStore(folder / "checkpoint").find();
    CheckpointKeeper again(folder / "checkpoint", only_at_stop(), {});
    options.resume = found.file.get();
    options.checkpoints = &again;
    REQUIRE_THROWS_AS(run(yaml, types, options), Interrupted);  // the stop is still asked for
    CHECK_FALSE(again.written());
  }
  const FoundCheckpoint found = CheckpointStore(folder / "checkpoint").find();
  RunOptions last;
  last.resume = found.file.get();
  CHECK(same_canvases(run(yaml, types, last), expected));
}

TEST_CASE("checkpoints on the way change no bit") {
  const NodeTypes types = test_nodes(shipped_library());
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const TemporaryFolder folder;
    CheckpointRhythm every;
    every.iterations = 1;
    CheckpointKeeper keeper(folder / "checkpoint", every, {});
    RunOptions options;
    options.checkpoints = &keeper;
    CHECK(same_canvases(run(c.yaml, types, options), run(c.yaml, types)));
    CHECK(keeper.written());
  }
}

TEST_CASE("a checkpoint that cannot be written is told, and the run goes on") {
  class Messages final : public Observer {
   public:
    void message(const std::string& text) override { texts.push_back(text); }
    std::vector<std::string> texts;
  } messages;
  const TemporaryFolder folder;
  CheckpointRhythm every;
  every.iterations = 1;
  CheckpointKeeper keeper("/proc/nowhere/checkpoint", every, {});
  RunOptions options;
  options.checkpoints = &keeper;
  options.observers = {&messages};
  CHECK_NOTHROW(run(transfer("iterations: 3"), test_nodes(shipped_library()), options));
  REQUIRE(messages.texts.size() == 1);  // once, not after every iteration
  CHECK(messages.texts[0].find("warning: no checkpoint was written: /proc/nowhere") == 0);
}

TEST_CASE("a checkpoint of another pipeline is refused, not taken in parts") {
  const NodeTypes types = test_nodes(shipped_library());
  const TemporaryFolder folder;
  StopAfter stopper(2);
  CheckpointKeeper keeper(folder / "checkpoint", only_at_stop(), {});
  RunOptions options;
  options.stop = &stopper.stop;
  options.observers = {&stopper};
  options.checkpoints = &keeper;
  REQUIRE_THROWS_AS(run(transfer("method: lbfgs, iterations: 5"), types, options), Interrupted);
  const FoundCheckpoint found = CheckpointStore(folder / "checkpoint").find();
  RunOptions other;
  other.resume = found.file.get();
  CHECK_THROWS_AS(run(transfer("method: adam, iterations: 5"), types, other), RunError);
  CHECK_THROWS_AS(run(transfer("method: lbfgs, history: 3, iterations: 5"), types, other), RunError);
  CHECK_THROWS_AS(run(without_save(small_transfer("method: lbfgs, iterations: 5", 44, 32)), types, other),
                  RunError);
}

TEST_CASE("the rhythm: by number, by time, and never more than its share") {
  std::chrono::steady_clock::time_point now;
  const auto clock = [&] { return now; };
  const auto after = [&](double seconds) {
    now += std::chrono::milliseconds(static_cast<int>(seconds * 1000));
  };
  CheckpointRhythm by_number;
  by_number.iterations = 3;
  CheckpointKeeper number("unused", by_number, {}, clock);
  CHECK_FALSE(number.due_after_iteration());
  CHECK_FALSE(number.due_after_iteration());
  CHECK(number.due_after_iteration());
  CHECK(number.wanted_at_stop());
  CheckpointKeeper time("unused", {0, 120, 120, 0.01}, {}, clock);
  CHECK_FALSE(time.due_after_iteration());
  after(100);
  CHECK_FALSE(time.due_after_iteration());
  CHECK_FALSE(time.wanted_at_stop());
  after(21);
  CHECK(time.due_after_iteration());
  CHECK(time.wanted_at_stop());
}
