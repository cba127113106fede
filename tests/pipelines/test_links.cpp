// What the linker and the lowering say about pipelines that cannot be. Each case is a small pipeline with one
// mistake, the first line of the answer and its suggestion.
#include <doctest/doctest.h>

#include <algorithm>

#include "framework/base/error.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const std::string head = "version: 1\nnodes:\n";
const std::string transfer = R"(  a: {type: FormulaInput, width: 40, height: 40}
  fa: {type: VGGExtract, input: a}
  fc: {type: VGGExtract, input: result.canvas}
  loss: {type: ContentLoss, features: fc, target: fa, layers: [relu2_1]}
  result: {type: Optimizer, start: a, loss: loss, iterations: 1}
  p: {type: Postprocess, input: result}
  save: {type: Save, image: p, path: out/x.png}
)";

Diagnostics check(const std::string& yaml) {
  const NodeTypes types = test_nodes(shipped_library());
  Diagnostics found;
  compile_stage(pipeline(yaml), types, 0, found);
  return found;
}

/// "line:column: message [code]; suggestion" of the first error, or of the first warning when there is no
/// error.
std::string first(const Diagnostics& found) {
  std::vector<Diagnostic> all = found.sorted();
  if (all.empty()) return "nothing";
  std::stable_partition(all.begin(), all.end(),
                        [](const Diagnostic& item) { return item.severity == Severity::error; });
  const Diagnostic& item = all.front();
  return std::to_string(item.span.begin.line) + ":" + std::to_string(item.span.begin.column) + ": " +
         item.message + " [" + item.code + "]" + (item.suggestion.empty() ? "" : "; " + item.suggestion);
}

std::string answer(const std::string& nodes) { return first(check(head + nodes)); }

std::string with(const std::string& from, const std::string& to) {
  std::string nodes = transfer;
  const std::size_t at = nodes.find(from);
  REQUIRE(at != std::string::npos);
  nodes.replace(at, from.size(), to);
  return answer(nodes);
}

}  // namespace

TEST_CASE("a good pipeline has nothing to answer for") { CHECK(answer(transfer) == "nothing"); }

TEST_CASE("names that are nearly right") {
  CHECK(with("Postprocess", "Postproces") ==
        "8:13: there is no node type 'Postproces' [unknown-type]; did you mean 'Postprocess'?");
  CHECK(with("input: result}", "input: resutl}") ==
        "8:33: there is no node 'resutl' [unknown-node]; did you mean 'result'?");
  CHECK(with("[relu2_1]", "[rellu2_1]") ==
        "6:64: network 'vgg19-mini' has no layer 'rellu2_1' [unknown-layer]; did you mean 'relu2_1'?");
  CHECK(with("iterations", "iteration") ==
        "7:51: Optimizer 'result' has no 'iteration' [unknown-key]; did you mean 'iterations'?");
  CHECK(with("result.canvas", "result.canvass") ==
        "5:33: 'result' has no output 'canvass' [unknown-output]; it gives result and result.canvas");
}

TEST_CASE("a file where a node is wanted") {
  CHECK(with("start: a", "start: photo.jpg") ==
        "7:36: 'photo.jpg' looks like a file; 'start' takes the name of a node [unknown-node]; write a node "
        "'name: {type: Load, path: photo.jpg}' and "
        "put its name here");
}

TEST_CASE("wires of the wrong kind say what stands between") {
  CHECK(with("image: p", "image: result") ==
        "9:29: 'image' of Save takes a picture, but 'result' gives a network input [wrong-kind]; put a "
        "Postprocess node between them");
  CHECK(with("loss: loss,", "loss: fa,")
            .starts_with(
                "7:45: 'loss' of Optimizer takes a loss, but 'fa' gives a set of features [wrong-kind]"));
}

TEST_CASE("what is missing is named") {
  CHECK(with(", loss: loss", "") ==
        "7:3: Optimizer 'result' has no 'loss': it needs a loss, what to make small; the losses are added up "
        "[missing-input]; here a loss comes from loss");
  CHECK(with(", path: out/x.png", "").starts_with("9:3: Save 'save' has no 'path'"));
}

TEST_CASE("values out of range and of the wrong type") {
  CHECK(with("iterations: 1", "iterations: -1") ==
        "7:63: 'iterations' must be >= 0 and <= 10000000, found -1 [out-of-range]");
  CHECK(with("iterations: 1", "iterations: many").starts_with("7:63: 'iterations' takes a whole number"));
  CHECK(with("iterations: 1", "learning_rate: .nan")
            .starts_with("7:66: 'learning_rate' takes a finite number, found .nan"));
  CHECK(with("iterations: 1", "method: adamm") ==
        "7:59: 'method' takes adam or lbfgs, found 'adamm' [unknown-choice]; did you mean 'adam'?");
  CHECK(with("[relu2_1]", "relu2_1") ==
        "6:63: 'layers' takes a list of text, found the text 'relu2_1' [wrong-type]; write it in brackets: "
        "[relu2_1]");
}

TEST_CASE("a ring of nodes is shown whole") {
  const Diagnostics found = check(head +
                                  "  a: {type: Resize, image: c, size: 3}\n  b: {type: Resize, image: a, "
                                  "size: 3}\n  c: {type: Resize, image: b, size: 3}\n");
  REQUIRE(found.has_errors());
  const Diagnostic cycle = found.sorted().front();
  CHECK(cycle.code == "cycle");
  CHECK(cycle.message.find("these nodes wait for each other: ") == 0);
  CHECK(cycle.notes.size() == 3);
}

TEST_CASE("the finished result cannot be part of its own loss") {
  CHECK(with("result.canvas", "result").find("[cycle]") != std::string::npos);
}

TEST_CASE("a loss that does not depend on the canvas") {
  CHECK(with("features: fc", "features: fa")
            .find("the loss 'loss' does not depend on the picture that is optimised") != std::string::npos);
}

TEST_CASE("a loss of one optimiser's canvas is nothing to another") {
  CHECK(answer(transfer + "  again: {type: Optimizer, start: a, loss: loss}\n")
            .find("the loss 'loss' does not depend on the picture that is optimised") != std::string::npos);
}

TEST_CASE("a node that nobody needs is a warning") {
  const Diagnostics found = check(head + transfer + "  lonely: {type: Noise, size: 8}\n");
  CHECK(!found.has_errors());
  CHECK(
      first(found) ==
      "10:3: 'lonely' is not used: no Save and no Optimizer depends on it, so it will not run [unused-node]");
}

TEST_CASE(
    "a picture too small for the deepest layer names the layer, the node and where its input comes from") {
  const std::string said = with("width: 40, height: 40", "width: 1, height: 1");
  CHECK(said ==
        "4:3: VGGExtract 'fa': a picture of 1x1 is too small for relu2_1; the smallest is 2x2 [shapes]");
}

TEST_CASE("content and canvas of different sizes") {
  const std::string said =
      answer("  b: {type: FormulaInput, width: 48, height: 40}\n" +
             transfer.substr(0, transfer.find("target: fa")) + "target: fb" +
             transfer.substr(transfer.find("target: fa") + 10) + "  fb: {type: VGGExtract, input: b}\n");
  CHECK(said.find("compares a picture of 40x40 with one of 48x40 place by place") != std::string::npos);
}

TEST_CASE("an output that cannot be written is told before anything runs") {
  CHECK(with("out/x.png", "out/x.gif2").find("[unwritable]") != std::string::npos);
}

TEST_CASE("ten thousand nodes in a row are linked at once") {
  std::string nodes = "  n0: {type: Noise, size: 8}\n";
  for (int i = 1; i < 10000; ++i)
    nodes += "  n" + std::to_string(i) + ": {type: Resize, image: n" + std::to_string(i - 1) + ", size: 8}\n";
  CHECK(first(check(head + nodes + "  save: {type: Save, image: n9999, path: x.png}\n")) == "nothing");
}
