#include <doctest/doctest.h>

#include "tests/config/expansion.h"

using namespace gramflow;

namespace {

const std::string restyle =
    "subgraphs:\n"
    "  restyle:\n"
    "    inputs: [content, style]\n"
    "    parameters: {weight: 1, iterations: }\n"
    "    outputs: {image: picture, canvas: result.canvas}\n"
    "    nodes:\n"
    "      loss: {type: StyleLoss, features: result.canvas, target: style, weight: $weight}\n"
    "      result: {type: Optimizer, start: content, loss: [loss], method: adam, iterations: $iterations}\n"
    "      picture: {type: Postprocess, input: result}\n"
    "  polish:\n"
    "    inputs: [image]\n"
    "    outputs: {image: sharp}\n"
    "    nodes:\n"
    "      sharp: {type: Sharpen, image: image}\n";

const std::string use = "  out: {type: restyle, content: a, style: b, weight: 2, iterations: 10}\n";
const std::string loads = "nodes:\n  a: {type: Load, path: a.jpg}\n  b: {type: Load, path: b.jpg}\n";

/// As the node types would answer: which keys refer to nodes.
bool is_port(std::string_view, std::string_view key) {
  for (const std::string_view port :
       {"features", "target", "start", "loss", "input", "image", "content", "style"})
    if (key == port) return true;
  return false;
}

Expansion opened(const std::string& nodes, std::vector<Override> overrides = {}) {
  return expanded(restyle + loads + nodes, std::move(overrides), 0, is_port);
}

}  // namespace

TEST_CASE("a use is replaced by the nodes inside, with ids outer/inner") {
  const Expansion result = opened(use);
  CHECK(result.codes() == "");
  CHECK(result.nodes() == "a:Load b:Load out/loss:StyleLoss out/result:Optimizer out/picture:Postprocess");
}

TEST_CASE("inside, names mean inputs and the nodes beside") {
  const Expansion result = opened(use);
  CHECK(result.value("out/result", "start") == "a");
  CHECK(result.value("out/loss", "target") == "b");
  CHECK(result.value("out/loss", "features") == "out/result.canvas");
  CHECK(result.value("out/result", "loss") == "- out/loss");
}

TEST_CASE("parameters are variables inside, with their defaults") {
  CHECK(opened(use).value("out/loss", "weight") == "2");
  CHECK(opened("  out: {type: restyle, content: a, style: b, iterations: 3}\n").value("out/loss", "weight") ==
        "1");
}

TEST_CASE("parameters hide variables of the file, others can be seen") {
  const Expansion result = expanded(
      "vars: {weight: 7, size: 8}\n"
      "subgraphs:\n  s: {parameters: {weight: 1}, nodes: {n: {type: T, w: $weight, s: $size}}}\n"
      "nodes: {u: {type: s, weight: $weight}, v: {type: s}}\n");
  CHECK(result.codes() == "");
  CHECK(result.value("u/n", "w") == "7");
  CHECK(result.value("v/n", "w") == "1");
  CHECK(result.value("u/n", "s") == "8");
}

TEST_CASE("outputs are read by name, and nodes of a name like a parameter's value are left alone") {
  const Expansion result = opened(
      use + "  save: {type: Save, image: out.image, path: out}\n  more: {type: Save, image: out.canvas}\n");
  CHECK(result.value("save", "image") == "out/picture");
  CHECK(result.value("save", "path") == "out");
  CHECK(result.value("more", "image") == "out/result.canvas");
}

TEST_CASE("a single output needs no name and passes ports on") {
  const Expansion result = opened(
      "  p: {type: polish, image: a}\n  save: {type: Save, image: p}\n  two: {type: Save, image: p.image}\n"
      "  three: {type: Save, image: p.preview}\n");
  CHECK(result.codes() == "");
  CHECK(result.value("save", "image") == "p/sharp");
  CHECK(result.value("two", "image") == "p/sharp");
  CHECK(result.value("three", "image") == "p/sharp.preview");
}

TEST_CASE("subgraphs may feed each other, in any order") {
  const Expansion result =
      opened("  second: {type: polish, image: first}\n  first: {type: polish, image: a}\n");
  CHECK(result.value("second/sharp", "image") == "first/sharp");
}

TEST_CASE("subgraphs may contain others") {
  const Expansion result =
      expanded(restyle +
                   "  all:\n    inputs: [photo, painting]\n    outputs: {image: polished}\n    nodes:\n"
                   "      styled: {type: restyle, content: photo, style: painting, iterations: 5}\n"
                   "      polished: {type: polish, image: styled.image}\n" +
                   loads + "  x: {type: all, photo: a, painting: b}\n  save: {type: Save, image: x}\n",
               {}, 0, is_port);
  CHECK(result.codes() == "");
  CHECK(result.value("x/styled/result", "start") == "a");
  CHECK(result.value("x/polished/sharp", "image") == "x/styled/picture");
  CHECK(result.value("save", "image") == "x/polished/sharp");
  CHECK(result.document.find("x/styled/loss")->notes.size() == 2);
}

TEST_CASE("a list given to an input takes the place of its name") {
  const Expansion result = expanded(
      "subgraphs:\n  s: {inputs: [losses], nodes: {o: {type: Optimizer, loss: [losses, extra]}, extra: "
      "{type: L, input: losses}}}\n"
      "nodes: {a: {type: L}, b: {type: L}, u: {type: s, losses: [a, b]}}\n",
      {}, 0, [](std::string_view, std::string_view key) { return key == "loss" || key == "losses"; });
  CHECK(result.value("u/o", "loss") == "- a|- b|- u/extra");
}

TEST_CASE("an input may be given an output, and its ports may be read inside") {
  const Expansion result = expanded(
      "subgraphs:\n  s: {inputs: [x], nodes: {n: {type: T, image: x.canvas}}}\n"
      "nodes: {a: {type: Load}, u: {type: s, x: a}}\n",
      {}, 0, is_port);
  CHECK(result.value("u/n", "image") == "a.canvas");
}

TEST_CASE("--set reaches the parameters of a use and of the nodes inside") {
  CHECK(opened(use, {{"nodes.out.weight", "9"}}).value("out/loss", "weight") == "9");
  CHECK(opened(use, {{"nodes.out/result.method", "lbfgs"}}).value("out/result", "method") == "lbfgs");
  CHECK(opened(use, {{"nodes.out/resul.method", "lbfgs"}}).codes() == "unknown-node");
}

TEST_CASE("a name that is unknown inside keeps its full id for the linker's message") {
  const Expansion result = expanded(
      "subgraphs:\n  s: {nodes: {n: {type: T, image: nobody}}}\nnodes: {u: {type: s}}\n", {}, 0, is_port);
  CHECK(result.value("u/n", "image") == "u/nobody");
}

TEST_CASE("every value inside says through which use it came") {
  const Expansion result = opened(use);
  const NodeEntry& loss = *result.document.find("out/loss");
  REQUIRE(loss.notes.size() == 1);
  CHECK(loss.notes[0].message == "in the subgraph 'restyle', used here");
  CHECK(loss.entries[0].value->notes.back().message == loss.notes[0].message);
}

TEST_CASE("a missing input is said once, and its places inside are broken") {
  const Expansion result = opened("  out: {type: restyle, content: a, iterations: 1}\n");
  CHECK(result.codes() == "missing-input");
  for (const Entry& entry : result.document.find("out/loss")->entries)
    if (entry.key == "target") CHECK(entry.value->broken);
}

TEST_CASE("a subgraph that nobody uses is checked all the same") {
  CHECK(expanded("subgraphs:\n  s: {nodes: {n: {type: T, p: $no}}}\nnodes: {a: {type: Load}}\n").codes() ==
        "unknown-variable");
  CHECK(expanded("subgraphs:\n  s: {parameters: {p: }, nodes: {n: {type: T, p: \"a${p}\"}}}\nnodes: {a: "
                 "{type: Load}}\n")
            .codes() == "");
}

TEST_CASE("fifty levels of subgraphs are opened, more are not") {
  const auto chain = [](int levels) {
    std::string text = "subgraphs:\n  s0: {nodes: {n: {type: T}}}\n";
    for (int i = 1; i < levels; ++i)
      text += "  s" + std::to_string(i) + ": {nodes: {n: {type: s" + std::to_string(i - 1) + "}}}\n";
    return expanded(text + "nodes: {u: {type: s" + std::to_string(levels - 1) + "}}\n");
  };
  CHECK(chain(50).codes() == "");
  CHECK(chain(51).codes() == "too-deep");
}

TEST_CASE("a node with a mistake keeps its place, so that references to it are not mistakes too") {
  const Expansion result = expanded("nodes: {a: {}, b: 3, c: $no, d: {type: $no}}\n");
  CHECK(result.codes() == "missing-type wrong-type unknown-variable unknown-variable");
  CHECK(result.nodes() == "a: b: c: d:");
}

TEST_CASE("what is read from a subgraph whose outputs are wrong is broken, not wrong again") {
  const Expansion result = expanded(
      "subgraphs:\n  s: {outputs: {image: pictur}, nodes: {picture: {type: T}}}\n"
      "nodes: {u: {type: s}, save: {type: Save, image: u.image}}\n",
      {}, 0, is_port);
  CHECK(result.codes() == "unknown-node");
  CHECK(result.document.find("save")->entries[0].value->broken);
}
