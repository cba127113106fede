// The program as scripts see it: exit codes, and what goes to which stream.
#include <doctest/doctest.h>

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/harness.h"

using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

struct Outcome {
  int code = -1;
  std::string out;  // the standard output
  std::string err;
};

/// Runs the program that lies beside this test in the project's folder.
Outcome run_program(const std::string& arguments) {
  const TemporaryFolder folder;
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "gramflow";
  const std::string command = "cd '" GRAMFLOW_SOURCE_DIR "' && '" + program.string() + "' " + arguments +
                              " 2>'" + (folder / "err") + "'";
  Outcome outcome;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  for (int letter = std::fgetc(pipe); letter != EOF; letter = std::fgetc(pipe))
    outcome.out += static_cast<char>(letter);
  outcome.code = WEXITSTATUS(::pclose(pipe));
  std::ifstream file(folder / "err");
  outcome.err.assign(std::istreambuf_iterator<char>(file), {});
  return outcome;
}

std::string written(const TemporaryFolder& folder, const std::string& nodes) {
  std::ofstream(folder / "p.yaml") << "version: 1\nnodes:\n" << nodes;
  return "check '" + (folder / "p.yaml") + "'";
}

const std::string save = "  save: {type: Save, image: a, path: out/never.png}\n";

}  // namespace

TEST_CASE("a good pipeline ends with 0") { CHECK(run_program("check configs/d2l.yaml").code == 0); }

TEST_CASE(
    "a mistake ends with 2, a missing picture with 3, a damaged one with 1, and a mistake outweighs both") {
  const TemporaryFolder folder;
  CHECK(run_program(written(folder, "  a: {type: Noise, sise: 8}\n" + save)).code == 2);
  CHECK(run_program(written(folder, "  a: {type: Load, path: nowhere.png}\n" + save)).code == 3);
  CHECK(run_program(written(folder, "  a: {type: Load, path: README.md}\n" + save)).code == 1);
  CHECK(run_program(written(folder,
                            "  a: {type: Load, path: nowhere.png}\n  b: {type: Load, path: README.md}\n"
                            "  c: {type: Save, image: b, path: out/x.gif}\n  d: {type: Noise, size: 8}\n"
                            "  e: {type: Save, image: d, path: out/x.gif}\n" +
                                save))
            .code == 2);
  CHECK(run_program("check nowhere.yaml").code == 3);
}

TEST_CASE("words that are no commands and options are answered with the right ones") {
  CHECK(run_program("chekc configs/d2l.yaml").err.find("did you mean 'check'?") != std::string::npos);
  CHECK(run_program("configs/d2l.yaml").err.find("gramflow run configs/d2l.yaml") != std::string::npos);
  CHECK(run_program("check configs/d2l.yaml --thread 2").err.find("did you mean '--threads'?") !=
        std::string::npos);
  CHECK(run_program("check configs/d2l.yaml size=3").code == 2);
}

TEST_CASE("diagnostics as JSON are an array whatever was found, and nothing else") {
  const TemporaryFolder folder;
  const auto findings = [](const std::string& arguments) {
    return nlohmann::json::parse(run_program(arguments + " --diagnostics=json").out);
  };
  CHECK(findings("check configs/d2l.yaml").empty());
  CHECK(findings("check configs/subgraphs/restyle.yaml").empty());
  CHECK(findings("check nowhere.yaml").size() == 1);
  CHECK(findings("check configs").size() == 1);
  CHECK(findings(written(folder, "  a: {type: Noise, size: 8, sede: 1, mena: 2}\n" + save)).size() == 2);
  CHECK(findings(written(folder, "  a: {type: Load, path: nowhere.png}\n" + save))[0]["code"] ==
        "missing-file");
}

TEST_CASE("a file of subgraphs can be checked, but not run") {
  CHECK(run_program("check configs/subgraphs/restyle.yaml").code == 0);
  CHECK(run_program("run configs/subgraphs/restyle.yaml").code == 2);
}

TEST_CASE("a program without its part for pictures says what is missing, and does everything else") {
  const TemporaryFolder folder;
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "gramflow";
  fs::copy_file(program, folder / "gramflow");
  const std::string command =
      "cd '" GRAMFLOW_SOURCE_DIR "' && GRAMFLOW_PATH=configs/networks '" + (folder / "gramflow") + "' ";
  CHECK(std::system((command + "nodes >/dev/null").c_str()) == 0);
  CHECK(WEXITSTATUS(
            std::system((command + "check configs/d2l.yaml 2>'" + (folder / "said") + "'").c_str())) == 3);
  std::ifstream file(folder / "said");
  const std::string said(std::istreambuf_iterator<char>(file), {});
  CHECK(said.find("reads pictures is missing") != std::string::npos);
}

TEST_CASE("every style that needs no download makes a picture") {
  const TemporaryFolder folder;
  for (const std::string style : {"strokes", "neighbors", "fine", "bold", "clean"}) {
    CAPTURE(style);
    const std::string picture = folder / (style + ".png");
    const std::string coarse = style == "clean" ? "" : " --set 'scales={from: 34, factor: 1.3}'";
    const Outcome outcome = run_program("run configs/styles/" + style + ".yaml --set size=56" + coarse +
                                        " --set iterations=2 --quiet --set output='" + picture + "'");
    CHECK(outcome.code == 0);
    CHECK(outcome.err == "");
    CHECK(fs::file_size(picture) > 1000);
  }
}

TEST_CASE("the recipe twice in a row and a variant beside it: three optimisers, told apart everywhere") {
  const TemporaryFolder folder;
  std::ofstream(folder / "p.yaml")
      << "version: 1\ninclude: " GRAMFLOW_SOURCE_DIR
         "/configs/subgraphs/restyle.yaml\n"
         "nodes:\n"
         "  photo: {type: Noise, size: [64, 48], seed: 1}\n"
         "  style: {type: Noise, size: [64, 48], seed: 2, kind: bell}\n"
         "  first: {type: restyle, content: photo, style: style, iterations: 3}\n"
         "  second: {type: restyle, content: first, style: style, iterations: 2}\n"
         "  other: {type: restyle, content: photo, style: style, iterations: 1}\n"
         "  s1: {type: Save, image: first, path: '"
      << folder / "first.png"
      << "', every: 2}\n  s2: {type: Save, image: second, path: '" << folder / "second.png"
      << "'}\n  s3: {type: Save, image: other, path: '" << folder / "other.png"
      << "'}\n";
  const std::string file = "'" + (folder / "p.yaml") + "'";
  const Outcome run =
      run_program("run " + file + " --log '" + (folder / "log") + "' --trace '" + (folder / "trace") + "'");
  REQUIRE(run.code == 0);
  CHECK(run.err.find("second/result (2/3): 64x48, 2 iterations of adam") != std::string::npos);
  std::vector<std::string> optimizers;
  std::ifstream log(folder / "log");
  for (std::string line; std::getline(log, line);)
    if (const auto event = nlohmann::json::parse(line); event["event"] == "iteration")
      optimizers.push_back(event["optimizer"]);
  CHECK(optimizers == std::vector<std::string>{"first/result", "first/result", "first/result",
                                               "second/result", "second/result", "other/result"});
  for (const char* name : {"first.png", "second.png", "other.png"}) CHECK(fs::exists(folder / name));
  std::ifstream trace(folder / "trace");
  const std::string events((std::istreambuf_iterator<char>(trace)), {});
  CHECK(events.find("loop of second/result") != std::string::npos);
  CHECK(run_program("graph " + file).out.find("prologue of second/result") != std::string::npos);
  const Outcome check = run_program("check --verify " + file);
  CHECK(check.out.find("other/result: canvas 64x48, 1 iterations of adam") != std::string::npos);
  CHECK(check.out.find("the plan is proven") != std::string::npos);
}

TEST_CASE("what a pipeline would take is said without its weights, which stay an error") {
  const Outcome check = run_program("check configs/gatys.yaml --set network=vgg19 --set size=64");
  if (check.code == 0) return;  // the weights are installed here
  CHECK(check.code == 3);
  CHECK(check.out.find("GFLOP an iteration") != std::string::npos);
  CHECK(check.err.find("the weights of network 'vgg19' are missing") != std::string::npos);
}
