#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/config/expansion.h"

using namespace gramflow;

namespace {

/// The parameter `p` of a node, written as `text` in a pipeline with some variables.
std::string replaced(const std::string& text) {
  const Expansion result = expanded(
      "vars: {size: 512, name: cat, layers: [a, b], quoted: \"12\", twice: $size, none: }\n"
      "nodes: {n: {type: T, p: " +
      text + ", q: [$size, $name, $layers, $quoted, $twice, $none]}}\n");
  CHECK(result.codes() == "");
  return result.value("n", "p");
}

}  // namespace

TEST_CASE("a variable that is the whole value keeps its type") {
  CHECK(replaced("$size") == "512");
  CHECK(replaced("$layers") == "- a|- b");
  CHECK(replaced("$quoted") == "\"12\"");
  CHECK(replaced("$none") == "~");
  CHECK(replaced("\"${size}\"") == "512");
}

TEST_CASE("variables may be defined by others") { CHECK(replaced("$twice") == "512"); }

TEST_CASE("inside of a text, variables are written with braces and give a text") {
  CHECK(replaced("\"in/${name}-${size}.jpg\"") == "in/cat-512.jpg");
  CHECK(replaced("\"${size}0\"") == "\"5120\"");
}

TEST_CASE("two dollars are one, and other dollars mean themselves") {
  CHECK(replaced("$$size") == "$size");
  CHECK(replaced("\"5 $ or $5\"") == "\"5 $ or $5\"");
  CHECK(replaced("$$$$") == "$$");
}

TEST_CASE("variables are replaced inside of lists and maps") {
  CHECK(replaced("[$size, {a: $name}]") == "- 512|- a: cat");
}

TEST_CASE("the environment gives plain values when plain and texts when quoted") {
  setenv("GRAMFLOW_TEST_SIZE", "640", 1);
  unsetenv("GRAMFLOW_TEST_NOTHING");
  CHECK(expanded("nodes:\n  n:\n    type: T\n    p: ${env:GRAMFLOW_TEST_SIZE}\n").value("n", "p") == "640");
  CHECK(replaced("\"${env:GRAMFLOW_TEST_SIZE}\"") == "\"640\"");
  CHECK(replaced("\"x${env:GRAMFLOW_TEST_SIZE}y\"") == "x640y");
  CHECK(replaced("\"${env:GRAMFLOW_TEST_NOTHING:-a/b}\"") == "a/b");
  CHECK(replaced("\"${env:GRAMFLOW_TEST_SIZE:-7}\"") == "\"640\"");
}

TEST_CASE("a value keeps the place of its definition and notes its use") {
  const Expansion result = expanded("vars: {size: abc}\nnodes: {n: {type: T, p: $size}}\n");
  const Value& value = *result.document.find("n")->entries[0].value;
  CHECK(value.span.begin == Position{2, 14});
  REQUIRE(value.notes.size() == 1);
  CHECK(value.notes[0].span.begin == Position{3, 25});
}

TEST_CASE("an unknown variable leaves a value that nothing more is said about") {
  const Expansion result = expanded("vars: {a: 1}\nnodes: {n: {type: T, p: $b, q: [$b]}}\n");
  CHECK(result.codes() == "unknown-variable unknown-variable");
  CHECK(result.document.find("n")->entries[0].value->broken);
}

TEST_CASE("variables are checked even when nothing uses them") {
  CHECK(expanded("vars: {a: $b}\nnodes: {n: {type: T}}\n").codes() == "unknown-variable");
}

TEST_CASE("a variable that nothing uses is warned about, unless there are errors") {
  CHECK(expanded("vars: {a: 1, b: $a}\nnodes: {n: {type: T}}\n").codes() == "unused-variable");
  CHECK(expanded("vars: {a: 1}\nnodes: {n: {type: T, p: $b}}\n").codes() == "unknown-variable");
}

TEST_CASE("a ring of variables is reported once, with all its members") {
  const Expansion result = expanded("vars: {a: $b, b: $c, c: [$a], d: $a}\nnodes: {n: {type: T, p: $d}}\n");
  REQUIRE(result.codes() == "variable-ring");
  CHECK(result.diagnostics.all()[0].message == "variables are defined by each other: $a -> $b -> $c -> $a");
  CHECK(result.diagnostics.all()[0].notes.size() == 2);
}

TEST_CASE("a node's whole body may be a variable") {
  CHECK(expanded("vars: {load: {type: Load, path: a}}\nnodes: {n: $load}\n").value("n", "path") == "a");
}

TEST_CASE("ten thousand unknown variables are answered quickly") {
  std::string text = "vars:\n";
  for (int i = 0; i < 10000; ++i) text += "  variable_" + std::to_string(i) + ": 1\n";
  text += "nodes:\n";
  for (int i = 0; i < 10000; ++i)
    text += "  n" + std::to_string(i) + ": {type: T, p: $varable_" + std::to_string(i) + "}\n";
  CHECK(expanded(text).diagnostics.error_count() == 10000);
}
