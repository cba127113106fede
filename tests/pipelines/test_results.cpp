// What a run says of its result, by the program: the loss of the picture that is saved, what is clipped, what is
// useless, which files stages write.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/pipelines/program.h"

using namespace gramflow::test;

namespace {

/// Smooths noise; the canvas is a picture.
std::string smoothing(const std::string& optimizer, const std::string& save = "path: out.png",
                      const std::string& weight = "1", const std::string& more = "") {
  return "version: 1\nnodes:\n"
         "  noise: {type: Noise, size: [24, 20], seed: 4}\n"
         "  smooth: {type: TVLoss, input: result.canvas, kind: l2, weight: " +
         weight +
         "}\n"
         "  result: {type: Optimizer, start: noise, loss: smooth, " +
         optimizer +
         "}\n"
         "  save: {type: Save, image: result, " +
         save + "}\n" + more;
}

std::vector<nlohmann::json> events(const std::string& text, const std::string& event) {
  std::vector<nlohmann::json> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (auto json = nlohmann::json::parse(line); json["event"] == event) found.push_back(std::move(json));
  return found;
}

bool exists(const TemporaryFolder& folder, const std::string& name) {
  return std::filesystem::exists(folder / name);
}

}  // namespace

TEST_CASE("console, log and sidecar say the loss of the saved picture and what of it is clipped") {
  for (const char* clamp : {"true", "false"}) {
    const TemporaryFolder folder;
    put(folder, "a.yaml", smoothing(std::string("iterations: 30, learning_rate: 0.05, clamp: ") + clamp));
    const Outcome run = run_in(folder.path(), "run a.yaml --log a.jsonl");
    CHECK(run.code == 0);
    CHECK(run.err.find("loss of 'result': ") != std::string::npos);
    CHECK(run.err.find("% of its samples are black or white") != std::string::npos);
    const std::string log = text_of(folder / "a.jsonl");
    const nlohmann::json result = events(log, "result").at(0);
    CHECK(result["iterations"] == 30);
    CHECK(result["start"] == events(log, "iteration").at(0)["total"]);
    CHECK(result["losses"]["smooth"] == result["total"]);
    CHECK(events(log, "saved").at(0).contains("clipped"));
    CHECK(text_of(folder / "out.png.gramflow.yaml").find("# loss of 'result': ") != std::string::npos);
    // The saved picture taken up again, with no step made: the same loss, to 8 bits.
    put(folder, "b.yaml",
        "version: 1\nnodes:\n  noise: {type: Load, path: out.png}\n"
        "  smooth: {type: TVLoss, input: result.canvas, kind: l2}\n"
        "  result: {type: Optimizer, start: noise, loss: smooth, iterations: 0}\n"
        "  save: {type: Save, image: result, path: again.png}\n");
    CHECK(run_in(folder.path(), "run b.yaml --log b.jsonl").code == 0);
    CHECK(events(text_of(folder / "b.jsonl"), "result").at(0)["total"].get<double>() ==
          doctest::Approx(result["total"].get<double>()).epsilon(0.02));
  }
}

TEST_CASE("what is useless ends with 0 and a warning that names the line and the cause") {
  const TemporaryFolder folder;
  put(folder, "a.yaml", smoothing("iterations: 2", "path: out.png", "0"));
  const Outcome run = run_in(folder.path(), "run a.yaml");
  CHECK(run.code == 0);
  CHECK(run.err.find("warning: a.yaml:5:3: 'result': all gradients are zero") != std::string::npos);
  CHECK(exists(folder, "out.png"));
}

TEST_CASE("a run of which nothing usable came out ends with 1, and its picture is there") {
  const TemporaryFolder folder;
  put(folder, "a.yaml", smoothing("iterations: 3, learning_rate: 1000"));
  const Outcome run = run_in(folder.path(), "run a.yaml");
  CHECK(run.code == 1);
  CHECK(run.says("nothing usable came out"));
  CHECK(run.says("learning_rate"));
  CHECK(exists(folder, "out.png"));
}

TEST_CASE("a start that is not finite ends with 1") {
  const TemporaryFolder folder;
  put(folder, "a.yaml", smoothing("iterations: 3", "path: out.png", "1.0e300"));
  const Outcome run = run_in(folder.path(), "run a.yaml");
  CHECK(run.code == 1);
  CHECK(run.says("not finite at the very start"));
}

TEST_CASE("stages write what was asked of them; names that would be written twice are a mistake") {
  const TemporaryFolder folder;
  const std::string stages = "schedule:\n  - {set: {nodes.result.iterations: 3}}\n  - {}\n";
  put(folder, "a.yaml",
      smoothing("iterations: 4", "path: \"{stage}-{iteration}.png\", every: 2", "1", stages));
  CHECK(run_in(folder.path(), "run a.yaml").code == 0);
  for (const char* name : {"1-00002.png", "1-00003.png", "2-00002.png", "2-00004.png"})
    CHECK(exists(folder, name));
  put(folder, "b.yaml",
      smoothing("iterations: 4", "path: last.png", "1",
                "schedule:\n  - {set: {nodes.save.path: first.png}}\n  - {}\n"));
  CHECK(run_in(folder.path(), "run b.yaml").code == 0);
  CHECK((exists(folder, "first.png") && exists(folder, "last.png")));
  put(folder, "c.yaml", smoothing("iterations: 4", "path: \"{iteration}.png\", every: 2", "1", stages));
  const Outcome check = run_in(folder.path(), "check c.yaml");
  CHECK(check.code == 2);
  CHECK(check.says("c.yaml:6:"));
  CHECK(check.says("add {stage} to it"));
}

TEST_CASE("a run that made no step names its picture 00000") {
  const TemporaryFolder folder;
  put(folder, "a.yaml", smoothing("iterations: 4, method: lbfgs", "path: \"{iteration}.png\"", "0"));
  CHECK(run_in(folder.path(), "run a.yaml").code == 0);
  CHECK(exists(folder, "00000.png"));
}

TEST_CASE("parameters of the optimiser that do nothing are told") {
  const TemporaryFolder folder;
  const auto told = [&](const std::string& optimizer) {
    put(folder, "a.yaml", smoothing("iterations: 2, " + optimizer));
    const Outcome check = run_in(folder.path(), "check a.yaml");
    CHECK(check.code == 0);
    return check.says("[unused-parameter]");
  };
  for (const char* unused : {"line_search: none", "history: 5", "method: lbfgs, warm_up: 3",
                             "method: lbfgs, epsilon: 1.0e-8", "method: lbfgs, carry: moments",
                             "carry: moments", "method: lbfgs, line_search: none, max_evaluations: 3"})
    CHECK_MESSAGE(told(unused), unused);
  for (const char* used : {"warm_up: 3", "decay: {cosine: 0.1}", "method: lbfgs, epsilon: {adam: 1.0e-8}",
                           "method: lbfgs, line_search: none, warm_up: 3", "average: 0.9, stop: {over: 5}"})
    CHECK_MESSAGE(!told(used), used);
}

TEST_CASE("starts: grey, noise in a picture's colours, mixtures") {
  const TemporaryFolder folder;
  put(folder, "a.yaml",
      "version: 1\nnodes:\n"
      "  photo: {type: Noise, size: [64, 64], seed: 1}\n"
      "  dark: {type: Grade, image: photo, exposure: -2}\n"
      "  grey: {type: Noise, like: photo, deviation: 0}\n"
      "  colors: {type: Noise, like: photo, colors: dark, seed: 2}\n"
      "  mix: {type: Mix, images: [grey, dark], shares: [3, 1]}\n"
      "  a: {type: Save, image: grey, path: grey.png}\n"
      "  b: {type: Save, image: colors, path: colors.png}\n"
      "  c: {type: Save, image: mix, path: mix.png}\n");
  CHECK(run_in(folder.path(), "run a.yaml").code == 0);
  put(folder, "b.yaml",
      "version: 1\nnodes:\n"
      "  a: {type: Noise, size: 20}\n  b: {type: Noise, size: 21}\n"
      "  mix: {type: Mix, images: [a, b]}\n  save: {type: Save, image: mix, path: mix.png}\n");
  const Outcome sizes = run_in(folder.path(), "check b.yaml");
  CHECK(sizes.code == 2);
  CHECK(sizes.says("20x20 and 21x21"));
  put(folder, "c.yaml",
      "version: 1\nnodes:\n"
      "  a: {type: Noise, size: 20}\n  mix: {type: Mix, images: [a, a], shares: [1]}\n"
      "  save: {type: Save, image: mix, path: mix.png}\n");
  CHECK(run_in(folder.path(), "check c.yaml").code == 2);
}
