// Several optimisers in a pipeline: each gives the bits that it gives alone, one may go on from another's
// picture, and the canvas may be a picture.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// Two pictures and their features: what variants share.
const std::string shared = R"(version: 1
nodes:
  content_in: {type: FormulaInput, width: 61, height: 47, seed: 1}
  style_in: {type: FormulaInput, width: 69, height: 53, seed: 2}
  content_features: {type: VGGExtract, input: content_in}
  style_features: {type: VGGExtract, input: style_in}
  style_gram: {type: Gram, features: style_features, layers: [relu1_1, relu3_1]}
)";

/// A transfer whose nodes' names begin with `name`.
std::string variant(const std::string& name, const std::string& start, const std::string& optimizer,
                    double weight = 1e4) {
  return fmt::format(R"(  {0}_features: {{type: VGGExtract, input: {0}.canvas}}
  {0}_gram: {{type: Gram, features: {0}_features, layers: [relu1_1, relu3_1]}}
  {0}_style: {{type: StyleLoss, gram: {0}_gram, target: style_gram, weight: {3}}}
  {0}_content: {{type: ContentLoss, features: {0}_features, target: content_features, layers: [relu4_2]}}
  {0}: {{type: Optimizer, start: {1}, loss: [{0}_content, {0}_style], {2}}}
)",
                     name, start, optimizer, weight);
}

std::vector<float> canvas(const RunSummary& summary, const std::string& node) {
  for (const Canvas& canvas : summary.canvases)
    if (canvas.node == node) return canvas.values;
  return {};
}

RunSummary run_here(const std::string& yaml, RunOptions options = {}, int threads = 0) {
  return run(yaml, test_nodes(shipped_library()), options, threads);
}

const std::string adam = "method: adam, learning_rate: 0.1, iterations: 4";
const std::string lbfgs = "method: lbfgs, iterations: 3";

}  // namespace

TEST_CASE("two variants of one photo side by side give the bits of each alone") {
  const RunSummary both =
      run_here(shared + variant("soft", "content_in", adam, 1e3) + variant("hard", "content_in", lbfgs, 1e5));
  REQUIRE(both.canvases.size() == 2);
  CHECK(canvas(both, "soft") == result_of(run_here(shared + variant("soft", "content_in", adam, 1e3))));
  CHECK(canvas(both, "hard") == result_of(run_here(shared + variant("hard", "content_in", lbfgs, 1e5))));
}

TEST_CASE("the order in the file does not matter: who needs another's picture waits for it") {
  const std::string first = variant("first", "content_in", adam), second = variant("second", "first", adam);
  const RunSummary forwards = run_here(shared + first + second);
  const RunSummary backwards = run_here(shared + second + first);
  CHECK(canvas(forwards, "second") == canvas(backwards, "second"));
  CHECK(canvas(forwards, "first") == result_of(run_here(shared + first)));
  CHECK(canvas(forwards, "second") != canvas(forwards, "first"));
}

TEST_CASE("what a loop makes and something behind it reads is made of the finished canvas") {
  // The second optimiser starts from the first one's picture and is compared with its features: nothing to
  // do.
  const std::string yaml =
      shared + variant("first", "content_in", adam) +
      "  again_features: {type: VGGExtract, input: again.canvas}\n"
      "  likeness: {type: ContentLoss, features: again_features, target: first_features, "
      "layers: [relu1_1, relu3_1]}\n"
      "  again: {type: Optimizer, start: first, loss: likeness, iterations: 1}\n";
  Recorder recorder;
  run_here(yaml, {.observers = {&recorder}});
  REQUIRE(recorder.iterations().size() == 5);
  CHECK(recorder.iterations().back().total == 0);
}

TEST_CASE("a chain gives the same bits for any threads and executors, and reads no free memory") {
  const std::string yaml = shared + variant("first", "content_in", adam) + variant("second", "first", lbfgs) +
                           variant("third", "content_in", adam);
  const RunSummary reference = run_here(yaml, {.executor = ExecutorKind::serial}, 1);
  for (const int threads : {1, 3})
    for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::flow}) {
      const RunSummary other =
          run_here(yaml, {.executor = executor, .before_stage = poison_free_memory}, threads);
      for (const char* node : {"first", "second", "third"})
        CHECK(canvas(other, node) == canvas(reference, node));
    }
}

TEST_CASE("previews of one optimiser and pictures of a finished one stand beside the next") {
  const TemporaryFolder folder;
  const std::string yaml =
      shared + variant("first", "content_in", adam) + variant("second", "first", adam) +
      fmt::format(
          "  first_picture: {{type: Postprocess, input: first}}\n"
          "  second_picture: {{type: Postprocess, input: second}}\n"
          "  first_save: {{type: Save, image: first_picture, path: '{0}/first-{{iteration}}.png', every: "
          "2}}\n"
          "  big: {{type: Resize, image: second_picture, size: 500}}\n"
          "  second_save: {{type: Save, image: big, path: '{0}/second-{{iteration}}.png', every: 1}}\n",
          folder.path());
  const RunSummary summary = run_here(yaml, {.before_stage = poison_free_memory});
  const std::string plain = shared + variant("first", "content_in", adam) + variant("second", "first", adam);
  CHECK(canvas(summary, "second") == canvas(run_here(plain), "second"));
  std::vector<std::string> names;
  for (const std::string& path : summary.outputs) names.push_back(std::filesystem::path(path).filename());
  CHECK(names == std::vector<std::string>{"first-00002.png", "first-00004.png", "second-00001.png",
                                          "second-00002.png", "second-00003.png", "second-00004.png"});
}

TEST_CASE("reports name the optimiser") {
  class Names final : public Observer {
   public:
    void loop_start(const LoopStart& loop) override { seen.push_back("begin " + loop.optimizer); }
    void iteration(const IterationReport& report) override { seen.emplace_back(report.optimizer); }
    std::vector<std::string> seen;
  } names;
  run_here(shared + variant("a", "content_in", "iterations: 1") + variant("b", "a", "iterations: 2"),
           {.observers = {&names}});
  CHECK(names.seen == std::vector<std::string>{"begin a", "a", "begin b", "b", "b"});
}

TEST_CASE(
    "a canvas that is a picture has the gradient of the network input, times the factors of Preprocess") {
  const std::string head =
      "version: 1\nnodes:\n  photo: {type: Noise, size: [40, 30], seed: 4}\n"
      "  photo_in: {type: Preprocess, image: photo}\n"
      "  goal: {type: Noise, size: [40, 30], seed: 5}\n"
      "  goal_in: {type: Preprocess, image: goal}\n"
      "  goal_features: {type: VGGExtract, input: goal_in}\n"
      "  loss: {type: ContentLoss, features: features, target: goal_features, layers: [relu2_1]}\n";
  const auto gradient_of = [&](const std::string& rest) {
    auto stages = compiled(head + rest, test_nodes(shipped_library()));
    ThreadScope threads(stages[0]->plan.workers);
    std::vector<float> gradient;
    threads.execute([&] {
      Session session(*stages[0], {});
      session.begin();
      session.step();
      gradient.assign(session.gradient().floats().begin(), session.gradient().floats().end());
    });
    return gradient;
  };
  const std::vector<float> of_input = gradient_of(
      "  features: {type: VGGExtract, input: result.canvas}\n"
      "  result: {type: Optimizer, start: photo_in, loss: loss, iterations: 1}\n");
  const std::vector<float> of_picture = gradient_of(
      "  canvas_in: {type: Preprocess, image: result.canvas}\n"
      "  features: {type: VGGExtract, input: canvas_in}\n"
      "  result: {type: Optimizer, start: photo, loss: loss, iterations: 1}\n");
  const float factors[] = {1 / 0.229F, 1 / 0.224F, 1 / 0.225F};
  REQUIRE(of_picture.size() == of_input.size());
  for (std::size_t i = 0; i < of_picture.size(); ++i)
    REQUIRE(of_picture[i] == doctest::Approx(of_input[i] * factors[i % 3]).epsilon(1e-6));
}

TEST_CASE(
    "a picture is compared through two networks of different conventions, and its total variation counts") {
  const TemporaryFolder folder;
  std::filesystem::copy_file(GRAMFLOW_SOURCE_DIR "/configs/networks/vgg19-mini.safetensors",
                             folder / "vgg19-mini.safetensors");
  const std::string yaml = R"(version: 1
nodes:
  photo: {type: Noise, size: [40, 30], seed: 4}
  goal: {type: Noise, size: [40, 30], seed: 5}
  goal_a: {type: Preprocess, image: goal, network: vgg19-mini}
  goal_b: {type: Preprocess, image: goal, network: vgg19-small}
  goal_fa: {type: VGGExtract, input: goal_a, network: vgg19-mini}
  goal_fb: {type: VGGExtract, input: goal_b, network: vgg19-small}
  canvas_a: {type: Preprocess, image: result.canvas, network: vgg19-mini}
  canvas_b: {type: Preprocess, image: result.canvas, network: vgg19-small}
  canvas_fa: {type: VGGExtract, input: canvas_a, network: vgg19-mini}
  canvas_fb: {type: VGGExtract, input: canvas_b, network: vgg19-small}
  a: {type: ContentLoss, features: canvas_fa, target: goal_fa, layers: [relu2_1]}
  b: {type: ContentLoss, features: canvas_fb, target: goal_fb, layers: [relu3_1]}
  tv: {type: TVLoss, input: result.canvas, weight: 0.1}
  result: {type: Optimizer, start: photo, loss: [a, b, tv], learning_rate: 0.02, iterations: 12}
)";
  Recorder recorder;
  run_here(yaml, {.observers = {&recorder}});
  const auto& iterations = recorder.iterations();
  CHECK(iterations.back().total < 0.8 * iterations.front().total);
  CHECK(recorder.loss(0, "tv") > 0);
}
