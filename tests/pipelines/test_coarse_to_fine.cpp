// A use of a subgraph with `scales:`, run by the program: sizes, counts, previews, and that nothing else
// changes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/pipelines/program.h"

using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

const std::string restyle = "include: " GRAMFLOW_SOURCE_DIR "/configs/subgraphs/restyle.yaml\n";
const std::string pictures =
    "  photo: {type: Noise, size: [96, 63], seed: 1}\n"
    "  style: {type: Noise, size: [80, 64], seed: 2, kind: bell}\n";
const std::string chain =
    "  look: {type: restyle, content: photo, style: style, size: 72, iterations: [3, 2], scales: {from: 30, "
    "factor: 1.414}}\n";

/// A pipeline of these nodes that saves `saved` as look.png.
std::string saving_look(const std::string& nodes, const std::string& saved = "look") {
  return "version: 1\n" + restyle + "nodes:\n" + pictures + nodes + "  save: {type: Save, image: " + saved +
         ", path: look.png, metadata: none}\n";
}

/// Runs it and gives the picture's bytes.
std::string picture_of(const std::string& text, const std::string& arguments = "") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", text);
  const Outcome outcome = run_in(folder.path(), "run p.yaml --quiet " + arguments);
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  return text_of(folder / "look.png");
}

}  // namespace

TEST_CASE("the scales run one after the other, each with its iterations, and end at the final size") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", saving_look(chain));
  const Outcome run = run_in(folder.path(), "run p.yaml --log log.jsonl");
  REQUIRE(run.code == 0);
  CHECK(run.says("look/scale36/result (1/3): 36x24, 3 iterations of adam"));
  CHECK(run.says("look/scale51/result (2/3): 51x33, 3 iterations of adam"));
  CHECK(run.says("look/result (3/3): 72x47, 2 iterations of adam"));
  std::vector<std::string> optimizers;
  std::ifstream log(folder / "log.jsonl");
  for (std::string line; std::getline(log, line);)
    if (const auto event = nlohmann::json::parse(line); event["event"] == "iteration")
      optimizers.push_back(event["optimizer"]);
  const std::string first = "look/scale36/result", second = "look/scale51/result", last = "look/result";
  CHECK(optimizers == std::vector<std::string>{first, first, first, second, second, second, last, last});
  CHECK(run_in(folder.path(), "check --verify p.yaml").says("the plan is proven"));
  CHECK(run_in(folder.path(), "graph p.yaml").says("prologue of look/scale51/result"));
  CHECK(run_in(folder.path(), "resolve p.yaml").says("first_iteration: 6"));
}

TEST_CASE("what resolve prints gives the same picture, and so does any number of threads") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", saving_look(chain));
  const std::string picture = picture_of(saving_look(chain));
  CHECK(picture_of(run_in(folder.path(), "resolve p.yaml").out) == picture);
  CHECK(picture_of(saving_look(chain), "--threads 1") == picture_of(saving_look(chain), "--threads 3"));
}

TEST_CASE("one scale is the same as none") {
  const std::string plain =
      "  look: {type: restyle, content: photo, style: style, size: 48, iterations: 3}\n";
  const std::string one =
      "  look: {type: restyle, content: photo, style: style, size: 48, iterations: [8, 3], scales: {from: "
      "49}}\n";
  CHECK(picture_of(saving_look(plain)) == picture_of(saving_look(one)));
}

TEST_CASE("a coarser scale is seen in the picture") {
  const std::string fewer = saving_look(chain), more = saving_look(chain);
  CHECK(picture_of(fewer) != picture_of(more, "--set nodes.look.scales.from=60"));
  CHECK(picture_of(fewer) != picture_of(more, "--set nodes.look/scale36.iterations=1"));
}

TEST_CASE("previews count on from scale to scale, and change no bit") {
  const TemporaryFolder folder;
  const std::string preview = "  preview: {type: Save, image: look, path: 'p-{iteration}.png', every: 1}\n";
  put(folder, "p.yaml", saving_look(chain + preview));
  REQUIRE(run_in(folder.path(), "run p.yaml --quiet").code == 0);
  CHECK(fs::exists(folder / "p-00007.png"));
  CHECK(fs::exists(folder / "p-00008.png"));
  CHECK_FALSE(fs::exists(folder / "p-00001.png"));
  CHECK(text_of(folder / "look.png") == picture_of(saving_look(chain)));
}

TEST_CASE("a subgraph that saves what it paints has a name of its own for each iteration of all scales") {
  const TemporaryFolder folder;
  const auto saving = [&](const std::string& path) {
    put(folder, "p.yaml",
        "version: 1\n" + restyle +
            "subgraphs:\n  shown:\n    inputs: {content: , style: , start: content}\n"
            "    parameters: {size: , iterations: , first_iteration: 0}\n    outputs: {image: look}\n    "
            "nodes:\n"
            "      look: {type: restyle, content: content, style: style, start: start, size: $size, "
            "iterations: "
            "$iterations, first_iteration: $first_iteration}\n"
            "      shot: {type: Save, image: look, path: '" +
            path + "', every: 1}\nnodes:\n" + pictures +
            "  seen: {type: shown, content: photo, style: style, size: 64, iterations: 2, scales: {from: "
            "32}}\n");
    return run_in(folder.path(), "run p.yaml --quiet");
  };
  CHECK(saving("s-{iteration}.png").code == 0);
  for (int i = 1; i <= 4; ++i) CHECK(fs::exists(folder / fmt::format("s-{:05}.png", i)));
  const Outcome same = saving("s.png");
  CHECK(same.code == 2);
  CHECK(same.says("file-used-twice"));
}

TEST_CASE("two chains in a row, in an included file, under --set") {
  const TemporaryFolder folder;
  put(folder, "parts/two.yaml",
      "version: 1\n" + restyle + "vars: {size: 48}\nnodes:\n" + pictures +
          "  one: {type: restyle, content: photo, style: style, size: $size, iterations: 1, scales: {from: "
          "24}}\n"
          "  two: {type: restyle, content: one, style: photo, start: one, size: $size, iterations: 1, "
          "scales: "
          "{from: 24}}\n");
  put(folder, "p.yaml",
      "version: 1\ninclude: parts/two.yaml\nnodes: {save: {type: Save, image: two, path: look.png}}\n");
  const Outcome run = run_in(folder.path(), "run p.yaml --set size=96 --set nodes.two.scales.from=48");
  CHECK(run.code == 0);
  CHECK(run.says("one/scale24/result (1/5): 24x16"));
  CHECK(run.says("two/scale48/result (4/5): 48x32"));
  CHECK(run.says("two/result (5/5): 96x63"));
}

TEST_CASE("the demo keeps its names, at one scale and at several") {
  const TemporaryFolder folder;
  const std::string demo = "run '" GRAMFLOW_SOURCE_DIR
                           "/configs/first-light.yaml' --set output=x.png --set nodes.picture.contrast=1.1 "
                           "--set nodes.save.bits=16 --set style_weight=20 --set nodes.result.iterations=";
  const Outcome one = run_in(folder.path(), demo + "2 --set size=64");
  CHECK(one.code == 0);
  CHECK(one.says("64x"));
  const Outcome two = run_in(folder.path(), demo + "[2,1] --set size=64 --set nodes.result.scales.from=32");
  CHECK(two.code == 0);
  CHECK(two.says("result/scale32/result (1/2): 32x"));
  CHECK(two.says("result/result (2/2): 64x"));
}

TEST_CASE("a style is as long as the stroke says, at every scale") {
  const TemporaryFolder folder;
  put(folder, "p.yaml",
      saving_look(
          "  look: {type: restyle, content: photo, style: style, size: 96, stroke: 0.5, scales: {from: "
          "48}}\n"));
  const Outcome check = run_in(folder.path(), "check p.yaml");
  CHECK(check.code == 0);
  CHECK(check.says("24x19"));
  CHECK(check.says("48x38"));
  CHECK(run_in(folder.path(), "check p.yaml --set nodes.look.stroke=0").code == 2);
}
