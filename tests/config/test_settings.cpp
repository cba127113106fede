#include <doctest/doctest.h>

#include "tests/config/expansion.h"

using namespace gramflow;

namespace {

const std::string pipeline =
    "vars: {size: 512, layers: [a]}\n"
    "nodes:\n"
    "  load: {type: Load, size: $size, layers: $layers}\n"
    "  result: {type: Optimizer, iterations: 500, decay: {factor: 0.8, every: 50}}\n";
const std::string staged = pipeline +
                           "schedule:\n"
                           "  - {set: {size: 256, nodes.result.iterations: 300}}\n"
                           "  - {set: {nodes.result.decay.factor: 0.5, nodes.load.size: $size}}\n";

std::string set(const std::string& key, const std::string& value, std::string_view node,
                std::string_view parameter) {
  const Expansion result = expanded(pipeline, {{key, value}});
  CHECK(result.codes() == "");
  return result.value(node, parameter);
}

}  // namespace

TEST_CASE("--set changes variables, with any YAML value") {
  CHECK(set("size", "1e3", "load", "size") == "1e3");
  CHECK(set("layers", "[x, y]", "load", "layers") == "- x|- y");
  CHECK(set("size", "", "load", "size") == "~");
}

TEST_CASE("--set changes parameters, also inside of maps, and adds new ones") {
  CHECK(set("nodes.result.iterations", "50", "result", "iterations") == "50");
  CHECK(set("nodes.result.decay.factor", "0.5", "result", "decay") == "factor: 0.5|every: 50");
  CHECK(set("nodes.result.decay", "{factor: 1}", "result", "decay") == "factor: 1");
  CHECK(set("nodes.load.crop.left", "3", "load", "crop") == "left: 3");
}

TEST_CASE("values of --set may use variables") {
  CHECK(set("nodes.result.iterations", "$size", "result", "iterations") == "512");
}

TEST_CASE("a stage's settings win over the file, --set wins over both") {
  CHECK(expanded(staged, {}, 0).value("load", "size") == "256");
  CHECK(expanded(staged, {}, 0).value("result", "iterations") == "300");
  CHECK(expanded(staged, {{"size", "64"}}, 0).value("load", "size") == "64");
  CHECK(expanded(staged, {{"nodes.result.iterations", "1"}}, 0).value("result", "iterations") == "1");
}

TEST_CASE("a stage does not see what other stages set") {
  CHECK(expanded(staged, {}, 1).value("result", "iterations") == "500");
  CHECK(expanded(staged, {}, 1).value("load", "size") == "512");
  CHECK(expanded(staged, {}, 1).value("result", "decay") == "factor: 0.5|every: 50");
}

TEST_CASE("the number of stages is that of the schedule, at least one") {
  CHECK(expanded(staged).document.stages == 2);
  CHECK(expanded(pipeline).document.stages == 1);
  CHECK(expanded(pipeline + "schedule:\n").document.stages == 1);
}

TEST_CASE("the last of several settings of one key wins") {
  CHECK(expanded(pipeline, {{"size", "1"}, {"size", "2"}}).value("load", "size") == "2");
}

TEST_CASE("a mistake in a --set value points into the command line") {
  const Expansion result = expanded(pipeline, {{"size", "[1, $no]"}});
  REQUIRE(result.codes() == "unknown-variable");
  CHECK(result.diagnostics.all()[0].span.to_string() == "--set size=[1, $no]:1:10");
  CHECK(result.diagnostics.all()[0].span.file->line(1) == "size=[1, $no]");
}

TEST_CASE("a value set on the command line keeps its place there") {
  const Expansion result = expanded(pipeline, {{"nodes.load.size", "abc"}});
  CHECK(result.document.find("load")->entries[0].value->span.to_string() == "--set nodes.load.size=abc:1:17");
}
