// The losses as users write them: whole pipelines, run.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/base/error.h"
#include "nodes/image/picture_io.h"
#include "tests/engine/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// Pictures, features of all three, and an optimiser; `losses` are the nodes between, `names` those it takes.
std::string transfer(const std::string& losses, const std::string& names, const std::string& optimizer,
                     const std::string& extract = "") {
  return fmt::format(R"(version: 1
nodes:
  content_in: {{type: FormulaInput, width: 61, height: 47, seed: 1}}
  style_in: {{type: FormulaInput, width: 69, height: 53, seed: 2}}
  second_in: {{type: FormulaInput, width: 53, height: 69, seed: 3}}
  start: {{type: FormulaInput, width: 61, height: 47, seed: 1, blend: 0.1, blend_seed: 3}}
  content_features: {{type: VGGExtract, input: content_in{3}}}
  style_features: {{type: VGGExtract, input: style_in{3}}}
  second_features: {{type: VGGExtract, input: second_in{3}}}
  canvas_features: {{type: VGGExtract, input: result.canvas{3}}}
{0}
  result: {{type: Optimizer, start: start, loss: {1}, {2}}}
)",
                     losses, names, optimizer, extract);
}

struct Outcome {
  std::vector<double> totals;
  std::vector<float> result;
  Recorder recorder;
};

Outcome outcome_of(const std::string& yaml, SessionOptions options = {}, int threads = 2) {
  Outcome outcome;
  options.observers.push_back(&outcome.recorder);
  outcome.result = run(yaml, test_nodes(shipped_library()), options, threads).result;
  for (const Recorder::Iteration& iteration : outcome.recorder.iterations())
    outcome.totals.push_back(iteration.total);
  return outcome;
}

/// What compiling says.
std::string answer(const std::string& yaml) {
  Diagnostics found;
  compile_stage(pipeline(yaml), test_nodes(shipped_library()), 0, found);
  return found.all().empty() ? "" : found.sorted().front().message;
}

const std::string adam = "method: adam, learning_rate: 0.05, iterations: 12";
const std::string layers = "layers: [relu1_1, relu2_1, relu3_1, relu4_1, relu5_1]";

}  // namespace

TEST_CASE("NeighborLoss falls, and the same bits come from any threads and executors") {
  const std::string yaml = transfer(
      "  loss: {type: NeighborLoss, features: canvas_features, target: [style_features, second_features], "
      "grid: 8, " +
          layers + "}",
      "loss", adam);
  const Outcome reference = outcome_of(yaml, {.executor = ExecutorKind::serial}, 1);
  CHECK(reference.totals.back() < 0.9 * reference.totals.front());
  CHECK(reference.recorder.loss(0, "loss/relu5_1") > 0);
  for (const int threads : {2, 3})
    for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::flow})
      CHECK(outcome_of(yaml, {.executor = executor, .poison = true}, threads).result == reference.result);
}

TEST_CASE("NeighborLoss samples other positions in every iteration, every few, or always the same") {
  const auto values = [](const std::string& more) {
    const std::string still = "method: adam, learning_rate: 1e-12, iterations: 6";  // nothing else changes
    return outcome_of(transfer("  loss: {type: NeighborLoss, features: canvas_features, target: "
                               "style_features, grid: 8, layers: [relu1_1], " +
                                   more + "}",
                               "loss", still))
        .totals;
  };
  const auto differ = [](double a, double b) { return std::fabs(a - b) > 1e-6 * a; };
  const std::vector<double> each = values("seed: 1"), other = values("seed: 2");
  const std::vector<double> held = values("seed: 1, rematch: 3"), fixed = values("seed: 1, resample: false");
  for (std::size_t i = 1; i < 6; ++i) {
    CHECK(differ(each[i], each[i - 1]));
    CHECK(differ(held[i], held[i - 1]) == (i == 3));
    CHECK_FALSE(differ(fixed[i], fixed[0]));
  }
  CHECK(differ(each[0], other[0]));
  CHECK(held[0] == doctest::Approx(each[0]));
  CHECK(held[3] == doctest::Approx(each[1]));
}

TEST_CASE("NeighborLoss with positions that stand still suits L-BFGS") {
  const Outcome outcome = outcome_of(
      transfer("  loss: {type: NeighborLoss, features: canvas_features, target: style_features, grid: 16, "
               "resample: false, " +
                   layers + "}",
               "loss", "method: lbfgs, iterations: 8"));
  for (std::size_t i = 1; i < outcome.totals.size(); ++i) CHECK(outcome.totals[i] <= outcome.totals[i - 1]);
  CHECK(outcome.totals.back() < 0.8 * outcome.totals.front());
}

TEST_CASE("NeighborLoss weighs whole and by layer") {
  const auto losses = [](const std::string& more) {
    return outcome_of(transfer("  loss: {type: NeighborLoss, features: canvas_features, target: "
                               "style_features, layers: [relu1_1, relu3_1]" +
                                   more + "}",
                               "loss", "method: adam, iterations: 1"))
        .recorder;
  };
  const Recorder plain = losses(""), heavy = losses(", weight: 8, layer_weights: {relu3_1: 0.5}");
  CHECK(heavy.loss(0, "loss/relu1_1") == doctest::Approx(2 * plain.loss(0, "loss/relu1_1")));
  CHECK(heavy.loss(0, "loss/relu3_1") == doctest::Approx(plain.loss(0, "loss/relu3_1")));
}

TEST_CASE("NeighborLoss refuses a target that moves, and layers that one of several targets lacks") {
  CHECK(answer(transfer("  loss: {type: NeighborLoss, features: canvas_features, target: [style_features, "
                        "canvas_features], layers: [relu1_1]}",
                        "loss", adam)) ==
        "'target' changes with the canvas; a search for neighbours needs one that stands still");
  CHECK(answer(transfer("  other: {type: VGGExtract, input: second_in, network: vgg19-small}\n"
                        "  loss: {type: NeighborLoss, features: canvas_features, target: [style_features, "
                        "other], layers: [relu1_7]}",
                        "loss", adam))
            .starts_with("network 'vgg19-"));
}

TEST_CASE("Rotate turns a picture clockwise; four quarter turns bring it back") {
  const TemporaryFolder folder;
  const auto turned = [&](const std::string& chain, const std::string& last) {
    const std::string file = folder / (last + ".png");
    run(fmt::format("version: 1\nnodes:\n  noise: {{type: Noise, size: [23, 17], seed: 4}}\n{}"
                    "  save: {{type: Save, image: {}, path: {}}}\n",
                    chain, last, file),
        standard_nodes(shipped_library()));
    return read_picture(file);
  };
  const Picture plain = turned("", "noise");
  const Picture right = turned("  r: {type: Rotate, image: noise}\n", "r");
  const Picture half = turned("  h: {type: Rotate, image: noise, turns: 2}\n", "h");
  REQUIRE(right.width == 17);
  REQUIRE(right.height == 23);
  for (std::size_t y = 0; y < 17; ++y)
    for (std::size_t x = 0; x < 23; ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        const float value = plain.rgb[(y * 23 + x) * 3 + c];
        REQUIRE(right.rgb[(x * 17 + 16 - y) * 3 + c] == value);
        REQUIRE(half.rgb[((16 - y) * 23 + 22 - x) * 3 + c] == value);
      }
  CHECK(
      turned("  r: {type: Rotate, image: noise}\n  back: {type: Rotate, image: r, turns: 3}\n", "back").rgb ==
      plain.rgb);
}
