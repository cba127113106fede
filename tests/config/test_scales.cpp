// `scales:` at a use of a subgraph: one use becomes a chain of uses, coarse to fine.
#include <doctest/doctest.h>

#include "tests/config/expansion.h"

using namespace gramflow;

namespace {

const std::string scalable =
    "subgraphs:\n"
    "  look:\n"
    "    inputs: {content: , start: small}\n"
    "    parameters: {size: [~, ~], iterations: 200, first_iteration: 0}\n"
    "    outputs: {image: result}\n"
    "    nodes:\n"
    "      small: {type: Resize, image: content, size: $size}\n"
    "      begin: {type: Resize, image: start, like: small}\n"
    "      result: {type: Optimizer, start: begin, loss: [], iterations: $iterations, first_iteration: "
    "$first_iteration}\n";
const std::string photo = "nodes:\n  photo: {type: Load, path: a.jpg}\n";

bool is_port(std::string_view, std::string_view key) {
  return key == "image" || key == "like" || key == "start" || key == "loss" || key == "content";
}

Expansion used(const std::string& keys, std::vector<Override> overrides = {}) {
  return expanded(scalable + photo + "  out: {type: look, content: photo" + keys +
                      "}\n  save: {type: Save, image: out}\n",
                  std::move(overrides), 0, is_port);
}

/// "128 256 512": the sizes of the scales, coarse to fine.
std::string numbers(const Expansion& expansion, const std::string& node, const std::string& key) {
  std::string text;
  for (const NodeEntry& entry : expansion.document.nodes)
    if (entry.id == "out/" + node || (entry.id.starts_with("out/scale") && entry.id.ends_with("/" + node)))
      text += (text.empty() ? "" : " ") + expansion.value(entry.id, key);
  return text;
}

std::string sizes(const std::string& keys) {
  const Expansion expansion = used(keys);
  CHECK(expansion.codes() == "");
  return numbers(expansion, "small", "size");
}

}  // namespace

TEST_CASE("sizes go down from the final one as long as they are at least 'from'") {
  CHECK(sizes(", size: 512, scales: {from: 128, factor: 2}") == "128 256 512");
  CHECK(sizes(", size: 512, scales: {from: 129, factor: 2}") == "256 512");
  CHECK(sizes(", size: 512, scales: {from: 128, factor: 1.414}") == "128 181 256 362 512");
  CHECK(sizes(", size: 500, scales: {from: 100}") == "125 250 500");
  CHECK(sizes(", size: 2048, scales: {from: 128, factor: 2}") == "128 256 512 1024 2048");
  CHECK(sizes(", size: 7, scales: {from: 1, factor: 1.1}") == "1 2 3 4 5 6 7");
}

TEST_CASE("a 'from' above the size, no 'scales' and an unset one mean one scale") {
  CHECK(sizes(", size: 64, scales: {from: 128, factor: 2}") == "64");
  CHECK(sizes(", size: 64") == "64");
  CHECK(sizes(", size: 512, scales: ") == "512");
}

TEST_CASE("width and height shrink together, and the longer one decides") {
  CHECK(sizes(", size: [400, 300], scales: {from: 100, factor: 2}") == "- 100|- 75 - 200|- 150 - 400|- 300");
  CHECK(sizes(", size: [3, 400], scales: {from: 100, factor: 2}") == "- 1|- 100 - 2|- 200 - 3|- 400");
}

TEST_CASE("each scale starts from the picture of the one before, the coarsest as the use says") {
  const Expansion result = used(", size: 512, scales: {from: 128, factor: 2}");
  CHECK(result.value("out/scale128/begin", "image") == "out/scale128/small");
  CHECK(result.value("out/scale256/begin", "image") == "out/scale128/result");
  CHECK(result.value("out/begin", "image") == "out/scale256/result");
  CHECK(result.value("save", "image") == "out/result");
  const Expansion own = used(", start: photo, size: 256, scales: {from: 128, factor: 2}");
  CHECK(own.value("out/scale128/begin", "image") == "photo");
  CHECK(own.value("out/begin", "image") == "out/scale128/result");
}

TEST_CASE("iterations are one number, or a list that is read from the finest scale backwards") {
  const auto iterations = [](const std::string& list) {
    const Expansion expansion = used(", size: 512, scales: {from: 128, factor: 2}" + list);
    CHECK(expansion.codes() == "");
    return numbers(expansion, "result", "iterations");
  };
  CHECK(iterations("") == "200 200 200");
  CHECK(iterations(", iterations: 30") == "30 30 30");
  CHECK(iterations(", iterations: [90, 60]") == "90 90 60");
  CHECK(iterations(", iterations: [1, 2, 3]") == "1 2 3");
  CHECK(iterations(", iterations: [1, 2, 3, 4, 5]") == "3 4 5");
  CHECK(numbers(used(", size: 64, scales: {from: 128}, iterations: [90, 60]"), "result", "iterations") ==
        "60");
}

TEST_CASE("the count of iterations goes on from scale to scale") {
  const Expansion result = used(", size: 512, scales: {from: 128, factor: 2}, iterations: [90, 60]");
  CHECK(numbers(result, "result", "first_iteration") == "0 90 180");
}

TEST_CASE("the coarsest scale has no moments to carry on") {
  std::string text = scalable + photo +
                     "  out: {type: look, content: photo, size: 64, carry: moments, scales: {from: 16}}\n";
  text.replace(text.find("first_iteration: 0"), 18, "carry: canvas");
  text.replace(text.find("first_iteration: $first_iteration"), 33, "carry: $carry");
  CHECK(numbers(expanded(text, {}, 0, is_port), "result", "carry") == "canvas moments moments");
  CHECK(numbers(expanded(text, {{"nodes.out.size", "16"}}, 0, is_port), "result", "carry") == "canvas");
}

TEST_CASE("a chain can follow a chain") {
  const Expansion result = expanded(
      scalable + photo +
          "  one: {type: look, content: photo, size: 64, scales: {from: 32, factor: 2}}\n"
          "  two: {type: look, content: one, start: one, size: 128, scales: {from: 64, factor: 2}}\n",
      {}, 0, is_port);
  CHECK(result.codes() == "");
  CHECK(result.value("two/scale64/small", "image") == "one/result");
  CHECK(result.value("two/scale64/begin", "image") == "one/result");
  CHECK(result.value("two/begin", "image") == "two/scale64/result");
}

TEST_CASE("a chain inside of another subgraph takes what it is given") {
  const Expansion result = expanded(
      scalable +
          "  poster:\n    inputs: [photo]\n    parameters: {size: 64, from: 32}\n    outputs: {image: "
          "painted}\n"
          "    nodes:\n      painted: {type: look, content: photo, size: $size, scales: {from: $from}}\n" +
          photo + "  p: {type: poster, photo: photo}\n  save: {type: Save, image: p}\n",
      {{"nodes.p.from", "16"}}, 0, is_port);
  CHECK(result.codes() == "");
  CHECK(result.value("p/painted/scale16/small", "size") == "16");
  CHECK(result.value("save", "image") == "p/painted/result");
}

TEST_CASE("settings reach the use, its scales, one of them, and a node of one") {
  const std::string use = ", size: 128, scales: {from: 64, factor: 2}";
  CHECK(numbers(used(use, {{"nodes.out.size", "256"}}), "small", "size") == "64 128 256");
  CHECK(numbers(used(use, {{"nodes.out.scales.from", "32"}}), "small", "size") == "32 64 128");
  CHECK(numbers(used(use, {{"nodes.out.scales", "{from: 16, factor: 4}"}}), "small", "size") == "32 128");
  CHECK(numbers(used(use, {{"nodes.out.scales", ""}}), "small", "size") == "128");
  CHECK(numbers(used(use, {{"nodes.out.iterations", "[5, 4]"}}), "result", "iterations") == "5 4");
  CHECK(numbers(used(use, {{"nodes.out/scale64.iterations", "7"}}), "result", "iterations") == "7 200");
  CHECK(numbers(used(use, {{"nodes.out/result.iterations", "3"}}), "result", "iterations") == "200 3");
  CHECK(used(use, {{"nodes.out.scales.from", "32"}}).codes() == "");
  CHECK(used(use, {{"nodes.out.scales.factor", "4"}}).codes() == "");
}

TEST_CASE("without a size there is one scale, and that is told") {
  const Expansion result = used(", scales: {from: 64, factor: 2}");
  CHECK(result.codes() == "bad-scales");
  CHECK_FALSE(result.diagnostics.has_errors());
  CHECK(numbers(result, "result", "iterations") == "200");
}

TEST_CASE("one scale takes the finest iterations, whatever it is one for") {
  for (const std::string one :
       {", scales: {from: 64}", ", size: 512, scales: ", ", size: 32, scales: {from: 64}"}) {
    CAPTURE(one);
    CHECK(numbers(used(one + ", iterations: [9, 8, 7]"), "result", "iterations") == "7");
  }
}

TEST_CASE("a value that is no size, and iterations that are no number, are for the nodes that take them") {
  CHECK(used(", size: big, scales: {from: 64}").codes() == "");
  CHECK(numbers(used(", size: 128, scales: {from: 64}, iterations: [many, 3]"), "result", "iterations") ==
        "many 3");
}

TEST_CASE("inputs may have defaults: nodes inside, their outputs, or other inputs") {
  const auto with = [](const std::string& start, const std::string& use = "") {
    return expanded("subgraphs:\n  s:\n    inputs: {a: , start: " + start +
                        "}\n    outputs: {o: n}\n    nodes:\n      m: {type: T, image: a}\n"
                        "      n: {type: T, image: start}\n" +
                        photo + "  u: {type: s, a: photo" + use + "}\n",
                    {}, 0, is_port);
  };
  CHECK(with("m").value("u/n", "image") == "u/m");
  CHECK(with("m.canvas").value("u/n", "image") == "u/m.canvas");
  CHECK(with("a").value("u/n", "image") == "photo");
  CHECK(with("a", ", start: photo").value("u/n", "image") == "photo");
  CHECK(with("b").codes() == "unknown-node");
  CHECK(with("[m]").codes().starts_with("wrong-type"));
}
