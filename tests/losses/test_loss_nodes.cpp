// The losses as users write them: whole pipelines, run.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/exec/executor.h"
#include "framework/exec/prepared_plan.h"
#include "nodes/image/picture_io.h"
#include "tests/support/harness.h"

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

Outcome outcome_of(const std::string& yaml, RunOptions options = {}, int threads = 2) {
  Outcome outcome;
  options.observers.push_back(&outcome.recorder);
  outcome.result = result_of(run(yaml, test_nodes(shipped_library()), options, threads));
  for (const Recorder::Iteration& iteration : outcome.recorder.iterations())
    outcome.totals.push_back(iteration.total);
  return outcome;
}

/// What compiling says.
std::string answer(const std::string& yaml) {
  Diagnostics found;
  compile_stage(pipeline(yaml), test_nodes(shipped_library()), 0, found);
  for (const Diagnostic& item : found.sorted())
    if (item.code != "nothing-saved" && item.code != "unused-node") return item.message;
  return "";
}

const std::string adam = "method: adam, learning_rate: 0.05, iterations: 12";
const std::string layers = "layers: [relu1_1, relu2_1, relu3_1, relu4_1, relu5_1]";
const std::string grams =
    "  canvas_gram: {type: Gram, features: canvas_features}\n  style_gram: {type: Gram, features: "
    "style_features}\n";

/// How far the slope along the gradient is from the gradient's own prediction.
double slope_error(const std::string& yaml) {
  Diagnostics warnings;
  const auto stage = compile_stage(pipeline(yaml), test_nodes(shipped_library()), 0, warnings, 2);
  REQUIRE(stage != nullptr);
  ThreadScope threads(2);
  Session session(*stage, {});
  session.begin();
  const std::span<float> canvas = session.canvas().floats();
  const std::vector<float> start(canvas.begin(), canvas.end());
  const auto loss_at = [&](const std::vector<float>& direction, float step) {
    for (std::size_t i = 0; i < canvas.size(); ++i) canvas[i] = start[i] + step * direction[i];
    return session.evaluate_canvas();
  };
  loss_at(std::vector<float>(canvas.size(), 0.0F), 0);
  const std::span<float> gradient_now = session.gradient().floats();
  const std::vector<float> gradient(gradient_now.begin(), gradient_now.end());
  double square = 0;
  for (const float g : gradient) square += static_cast<double>(g) * static_cast<double>(g);
  const auto difference = [&](double length) {
    const auto step = static_cast<float>(length / std::sqrt(square));
    return (loss_at(gradient, step) - loss_at(gradient, -step)) / (2 * static_cast<double>(step));
  };
  // Small steps drown in the rounding of float Gram matrices, which W2 takes roots of; the kinks of ReLU and
  // pooling add an error that grows with the step, so two steps tell what is without them.
  const double extrapolated = 2 * difference(0.008) - difference(0.016);
  return std::fabs(extrapolated / square - 1);
}

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
      CHECK(outcome_of(yaml, {.executor = executor, .before_stage = poison_free_memory}, threads).result ==
            reference.result);
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

TEST_CASE("Every kind of style loss falls, by the same bits for any threads and executors") {
  for (const std::string& how : std::initializer_list<std::string>{
           "kind: gram, weight: 1e4", "kind: w2", "kind: mean-variance", "normalize: scaled",
           "relative: true", "kind: w2, relative: true", "normalize: scaled, relative: true"}) {
    CAPTURE(how);
    const std::string yaml =
        transfer(grams + fmt::format("  loss: {{type: StyleLoss, gram: canvas_gram, target: "
                                     "style_gram, {}, {}}}",
                                     how, layers),
                 "loss", adam);
    const Outcome reference = outcome_of(yaml, {.executor = ExecutorKind::serial}, 1);
    CHECK(reference.totals.back() < 0.9 * reference.totals.front());
    CHECK(outcome_of(yaml, {.executor = ExecutorKind::flow, .before_stage = poison_free_memory}, 3).result ==
          reference.result);
    CHECK(slope_error(yaml) < 3e-3);
  }
}

TEST_CASE("Every kind of content loss and total variation falls") {
  for (const std::string& how :
       std::initializer_list<std::string>{"ContentLoss, normalize: scaled", "ContentLoss, relative: true",
                                          "ContentLoss, normalize: scaled, relative: true"}) {
    CAPTURE(how);
    const std::string yaml = transfer(
        fmt::format(
            "  loss: {{type: {}, features: canvas_features, target: style, layers: [relu2_1, relu4_2]}}\n"
            "  other_in: {{type: FormulaInput, width: 61, height: 47, seed: 5}}\n"
            "  style: {{type: VGGExtract, input: other_in}}",
            how),
        "loss", adam);
    CHECK(outcome_of(yaml).totals.back() < 0.9 * outcome_of(yaml).totals.front());
    CHECK(slope_error(yaml) < 3e-3);
  }
  for (const std::string& how :
       std::initializer_list<std::string>{"kind: l1", "kind: l2", "kind: nine-point", "relative: true",
                                          "kind: nine-point, relative: true"}) {
    CAPTURE(how);
    const std::string yaml =
        transfer(fmt::format("  loss: {{type: TVLoss, input: result.canvas, {}}}", how), "loss", adam);
    CHECK(outcome_of(yaml).totals.back() < 0.9 * outcome_of(yaml).totals.front());
  }
}

TEST_CASE("Gram matrices divided by other things scale the loss, relative ones do not") {
  const auto total = [](const std::string& gram, const std::string& loss) {
    return outcome_of(
               transfer(fmt::format("  canvas_gram: {{type: Gram, features: canvas_features{0}}}\n"
                                    "  style_gram: {{type: Gram, features: style_features{0}}}\n"
                                    "  loss: {{type: StyleLoss, gram: canvas_gram, target: style_gram{1}, "
                                    "layers: [relu3_1]}}",
                                    gram, loss),
                        "loss", "method: adam, iterations: 1"))
        .totals[0];
  };
  // 64 channels: a Gram matrix divided by HW is 64 times as large, Gatys' is 32 times as large.
  const double plain = total("", "");
  CHECK(total(", divide_by: hw", "") == doctest::Approx(64 * 64 * plain));
  CHECK(total(", divide_by: gatys", "") == doctest::Approx(32 * 32 * plain));
  CHECK(total(", divide_by: hw", ", normalize: scaled") ==
        doctest::Approx(64 * total("", ", normalize: scaled")).epsilon(1e-4));
  const double relative = total("", ", relative: true");
  CHECK(total(", divide_by: hw", ", relative: true") == doctest::Approx(relative));
  CHECK(total(", divide_by: hw", ", kind: w2") == doctest::Approx(total("", ", kind: w2")));
}

TEST_CASE("Several styles are blended by their weights") {
  const auto total = [](const std::string& targets, const std::string& more) {
    return outcome_of(
               transfer(grams + fmt::format("  second_gram: {{type: Gram, features: second_features}}\n"
                                            "  loss: {{type: StyleLoss, gram: canvas_gram, target: {}, "
                                            "layers: [relu1_1, relu3_1], {}}}",
                                            targets, more),
                        "loss", "method: adam, iterations: 1"))
        .totals[0];
  };
  for (const std::string& kind : std::initializer_list<std::string>{
           "kind: gram", "kind: w2", "kind: mean-variance", "relative: true"}) {
    CAPTURE(kind);
    const std::string how = ", " + kind;
    const double first = total("style_gram", kind), second = total("second_gram", kind);
    CHECK(total("[style_gram, second_gram]", "target_weights: [1, 0]" + how) ==
          doctest::Approx(first).epsilon(1e-5));
    CHECK(total("[style_gram, second_gram]", "target_weights: [0, 7]" + how) ==
          doctest::Approx(second).epsilon(1e-5));
    CHECK(total("[style_gram, second_gram]", kind) ==
          doctest::Approx(total("[style_gram, second_gram]", "target_weights: [3, 3]" + how)));
    CHECK(total("[style_gram, style_gram]", kind) == doctest::Approx(first).epsilon(1e-5));
  }
}

TEST_CASE("Style losses refuse what cannot be meant") {
  const auto said = [](const std::string& more,
                       const std::string& style = "  style_gram: {type: Gram, features: style_features}\n") {
    return answer(transfer("  canvas_gram: {type: Gram, features: canvas_features}\n" + style +
                               "  loss: {type: StyleLoss, gram: canvas_gram, layers: [relu1_1], " + more +
                               "}",
                           "loss", adam));
  };
  CHECK(said("target: style_gram") == "");
  CHECK(said("target: style_gram, target_weights: [1, 2]") == "'target_weights' has 2 numbers for 1 target");
  CHECK(said("target: style_gram, target_weights: [0]") == "'target_weights' must not all be 0");
  CHECK(said("target: canvas_gram, kind: w2") ==
        "'target' changes with the canvas; a distance of distributions needs one that stands still");
  CHECK(said("target: canvas_gram, relative: true") ==
        "'target' changes with the canvas; relative: true needs one that stands still");
  CHECK(said("target: [canvas_gram, canvas_gram]") ==
        "'target' changes with the canvas; a blend of targets needs one that stands still");
  CHECK(said("target: style_gram", "  style_gram: {type: Gram, features: style_features, divide_by: hw}\n") ==
        "'gram' and 'target' are divided by different things");
  CHECK(said("target: style_gram, epsilon: 1e-3") ==
        "'epsilon' has no effect on kind gram, which divides by no variance");
  CHECK(said("target: style_gram, kind: w2, normalize: scaled") ==
        "'normalize' has no effect on distances of distributions, which are no sums of differences");
}

TEST_CASE("VGGExtract runs a network with another padding and pooling, forward and back") {
  const std::string loss =
      grams + "  loss: {type: StyleLoss, gram: canvas_gram, target: style_gram, weight: 1e4, " + layers + "}";
  const std::string plain = transfer(loss, "loss", adam);
  const Outcome own = outcome_of(plain);
  for (const std::string& how : std::initializer_list<std::string>{
           "padding: reflect", "padding: replicate", "padding: replicate, padded_layers: first",
           "pooling: average", "pooling: l2", "padding: reflect, pooling: average"}) {
    CAPTURE(how);
    const std::string yaml = transfer(loss, "loss", adam, ", " + how);
    const Outcome changed = outcome_of(yaml);
    CHECK(changed.result != own.result);
    CHECK(changed.totals.back() < 0.9 * changed.totals.front());
    CHECK(slope_error(yaml) < 3e-3);
    CHECK(
        outcome_of(yaml, {.executor = ExecutorKind::serial, .before_stage = poison_free_memory}, 1).result ==
        changed.result);
    // Activations stay about as large, so the loss does, too.
    CHECK(changed.totals.front() < 3 * own.totals.front());
    CHECK(changed.totals.front() > own.totals.front() / 3);
  }
  // Twice as large after each of four poolings.
  CHECK(outcome_of(transfer(loss, "loss", adam, ", pooling: average, pooling_gain: 2.7")).totals.front() >
        100 * own.totals.front());
  // What the network does anyway changes no bit.
  for (const std::string& how : std::initializer_list<std::string>{"padding: network, pooling: network",
                                                                   "padding: zero, pooling: max"})
    CHECK(outcome_of(transfer(loss, "loss", adam, ", " + how)).result == own.result);
}

TEST_CASE("Padding in the first layer alone changes nothing far from the edge") {
  const auto first_layer = [](const std::string& extract, const std::string& layer) {
    return outcome_of(
               transfer("  loss: {type: ContentLoss, features: canvas_features, target: content_features, "
                        "layers: [" +
                            layer + "]}",
                        "loss", "method: adam, iterations: 1", extract))
        .totals[0];
  };
  const double all = first_layer(", padding: replicate", "relu1_1");
  CHECK(first_layer(", padding: replicate, padded_layers: first", "relu1_1") == all);
  CHECK(first_layer(", padding: replicate, padded_layers: first", "relu2_1") !=
        first_layer(", padding: replicate", "relu2_1"));
}

TEST_CASE("Features of different networks, or of one run in different ways, are not compared") {
  const auto said = [](const std::string& other) {
    return answer(
        transfer("  other: {type: VGGExtract, input: content_in" + other +
                     "}\n  loss: {type: ContentLoss, features: canvas_features, target: other, layers: "
                     "[relu1_1]}",
                 "loss", adam));
  };
  CHECK(said("") == "");
  CHECK(said(", network: vgg19-small") ==
        "'features' and 'target' are features of different networks: vgg19-mini; vgg19-small");
  CHECK(said(", pooling: l2, padding: replicate, padded_layers: first") ==
        "'features' and 'target' are features of different networks: vgg19-mini; vgg19-mini, padding "
        "replicate in "
        "the first layer, pooling l2");
  CHECK(said(", padded_layers: first") == "'padded_layers' has no effect without a 'padding'");
}
