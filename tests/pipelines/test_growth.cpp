// Twice the nodes take at most two and a half times as long to check, whatever they are and however they
// hang together.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <functional>

#include "framework/base/parallel.h"
#include "framework/compile/verify.h"
#include "framework/config/read_pipeline.h"
#include "tests/pipelines/program.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::string join(int count, const std::function<std::string(int)>& item, const std::string& between = "") {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i == 0 ? "" : between) + item(i);
  return text;
}

std::string noise_saved(int count) {
  return join(count, [](int i) {
    return fmt::format(
        "  n{0}: {{type: Noise, size: 16, seed: {0}}}\n"
        "  s{0}: {{type: Save, image: n{0}, path: out/{0}.png}}\n",
        i);
  });
}

/// One picture, read by all: its memory goes to many others afterwards.
std::string resized_saved(int count) {
  return "  picture: {type: Noise, size: 64}\n" + join(count, [](int i) {
           return fmt::format(
               "  r{0}: {{type: Resize, image: picture, size: {1}}}\n"
               "  x{0}: {{type: Sharpen, image: r{0}}}\n"
               "  s{0}: {{type: Save, image: x{0}, path: out/{0}.png}}\n",
               i, 20 + i % 40);
         });
}

std::string chain(int count) {
  return "  x0: {type: Noise, size: 64}\n" +
         join(count, [](int i) { return fmt::format("  x{}: {{type: Sharpen, image: x{}}}\n", i + 1, i); }) +
         fmt::format("  s: {{type: Save, image: x{}, path: out.png}}\n", count);
}

std::string optimizers(int count) {
  return chain(count) + join(count, [&](int i) {
           return fmt::format(
               "  t{0}: {{type: TVLoss, input: o{0}.canvas, weight: 1}}\n"
               "  o{0}: {{type: Optimizer, start: {1}, loss: t{0}, iterations: 2}}\n"
               "  so{0}: {{type: Save, image: o{0}, path: out/{0}.png}}\n",
               i, i % 3 == 0 ? fmt::format("x{}", count) : fmt::format("o{}", i - 1));
         });
}

std::string previews(int count) {
  return "  n: {type: Noise, size: 32}\n"
         "  t: {type: TVLoss, input: o.canvas, weight: 1}\n"
         "  o: {type: Optimizer, start: n, loss: t, iterations: 2}\n" +
         join(count, [](int i) {
           return fmt::format(
               "  x{0}: {{type: Sharpen, image: o}}\n"
               "  s{0}: {{type: Save, image: x{0}, path: 'out/{0}-{{iteration}}.png', every: {1}}}\n",
               i, i + 1);
         });
}

std::string transfer(const std::string& network, const std::string& losses, const std::string& names) {
  return fmt::format(
      "  a: {{type: Noise, size: 48}}\n"
      "  b: {{type: Noise, size: 32, seed: 1}}\n"
      "  start: {{type: Preprocess, image: a, network: {0}}}\n"
      "  style: {{type: Preprocess, image: b, network: {0}}}\n"
      "  canvas_features: {{type: VGGExtract, input: o.canvas, network: {0}}}\n"
      "  style_features: {{type: VGGExtract, input: style, network: {0}}}\n"
      "{1}"
      "  o: {{type: Optimizer, start: start, loss: [{2}], iterations: 2}}\n"
      "  picture: {{type: Postprocess, input: o, network: {0}}}\n"
      "  s: {{type: Save, image: picture, path: out.png}}\n",
      network, losses, names);
}

std::string gram_pair(int number, const std::string& layers) {
  return fmt::format(
      "  c{0}: {{type: Gram, features: canvas_features, layers: [{1}]}}\n"
      "  d{0}: {{type: Gram, features: style_features, layers: [{1}]}}\n"
      "  l{0}: {{type: StyleLoss, gram: c{0}, target: d{0}, weight: 1}}\n",
      number, layers);
}

std::string gram_pairs(int count) {
  return transfer("vgg19-mini",
                  join(count, [](int i) { return gram_pair(i, fmt::format("relu{}_1", 1 + i % 4)); }),
                  join(
                      count, [](int i) { return fmt::format("l{}", i); }, ", "));
}

/// Of a network of so many layers, in a file beside.
std::string layers(int count) {
  const std::string all = join(
      count, [](int i) { return fmt::format("relu{}_1", i); }, ", ");
  return transfer(fmt::format("./net{}.yaml", count), gram_pair(0, all), "l0");
}

void put_network(const TemporaryFolder& folder, int count) {
  put(folder, fmt::format("net{}.yaml", count),
      fmt::format("name: net{}\nsummary: many layers\npadding: zero\nweights: {{file: none.safetensors}}\n"
                  "input: {{order: rgb, scale: 1, mean: [0, 0, 0], std: [1, 1, 1]}}\nlayers:\n{}",
                  count, join(count, [](int i) {
                    return fmt::format("  - {{conv: conv{}_1, in: {}, out: 4}}\n", i, i == 0 ? 3 : 4);
                  })));
}

/// Seconds of work that checking takes, the least of three times: others may use the machine, too.
double seconds_to_check(const PipelineSource& source, const NodeTypes& types) {
  double best = 1e9;
  for (int time = 0; time < 3; ++time) {
    Diagnostics found;
    const std::clock_t start = std::clock();
    const auto stages = plan_stages(source, types, found, 2);
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    REQUIRE(stages.at(0) != nullptr);
    for (const Diagnostic& diagnostic : found.all()) CHECK(diagnostic.code == "missing-file");
  }
  return best;
}

struct Family {
  const char* name;
  std::string (*nodes)(int count);
  int count;
};

}  // namespace

TEST_CASE("twice the nodes take about twice as long to check") {
  const TemporaryFolder folder;
  const NodeTypes types = standard_nodes(shipped_library());
  for (const Family& family : {Family{"pictures saved", noise_saved, 3000},
                               {"sizes of a picture", resized_saved, 2500},
                               {"a chain", chain, 5000},
                               {"optimisers", optimizers, 1500},
                               {"previews", previews, 2000},
                               {"pairs of Gram matrices", gram_pairs, 2000},
                               {"layers of a network", layers, 1500}}) {
    CAPTURE(std::string(family.name));
    std::vector<double> seconds;
    for (const int count : {family.count, 2 * family.count}) {
      put_network(folder, count);
      put(folder, "main.yaml", "version: 1\nnodes:\n" + family.nodes(count));
      seconds.push_back(seconds_to_check(read_pipeline(folder / "main.yaml"), types));
    }
    MESSAGE(std::string(family.name) << ": " << seconds[0] << " s, twice as many " << seconds[1] << " s");
    CHECK(seconds[1] < 2.5 * seconds[0] + 0.02);
    CHECK(seconds[1] < 5);
  }
}

TEST_CASE("plans of thousands of operations are proven") {
  const TemporaryFolder folder;
  const NodeTypes types = standard_nodes(shipped_library());
  for (const auto& nodes : {resized_saved(700), previews(300), gram_pairs(150), optimizers(200)}) {
    put(folder, "main.yaml", "version: 1\nnodes:\n" + nodes);
    Diagnostics found;
    const auto stages = plan_stages(read_pipeline(folder / "main.yaml"), types, found, 2);
    CHECK(verify(stages.at(0)->plan) == std::vector<std::string>());
  }
}

TEST_CASE("a preview of many does not overtake what it shares memory with") {
  // Many sizes in the section behind a loop, of which each preview runs a few: those between are not there to
  // be waited for.
  const TemporaryFolder folder;
  const NodeTypes types = standard_nodes(shipped_library());
  std::vector<std::string> pictures;
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::flow}) {
    std::string nodes =
        "  n: {type: Noise, size: 48}\n"
        "  t: {type: TVLoss, input: o.canvas, weight: 1}\n"
        "  o: {type: Optimizer, start: n, loss: t, iterations: 7}\n";
    for (int i = 0; i < 60; ++i)
      nodes += fmt::format(
          "  r{0}: {{type: Resize, image: o, size: {1}}}\n  x{0}: {{type: Sharpen, image: r{0}}}\n"
          "  s{0}: {{type: Save, image: x{0}, path: '{2}', every: {3}}}\n",
          i, 20 + 7 * (i % 9), folder / fmt::format("{}-{{iteration}}.png", i), 1 + i % 3);
    RunOptions options;
    options.executor = executor;
    options.before_stage = poison_free_memory;
    run("version: 1\nnodes:\n" + nodes, types, options, 2);
    pictures.emplace_back();
    for (int i = 0; i < 60; ++i)
      for (int iteration = 1; iteration <= 7; ++iteration)
        pictures.back() += text_of(folder / fmt::format("{}-{:05}.png", i, iteration));
  }
  CHECK(pictures[0].size() > 60 * 7 * 20);
  CHECK(pictures[0] == pictures[1]);
}
