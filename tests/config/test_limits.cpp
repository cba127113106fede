// Files made to hurt: each is answered within a second on an ordinary machine; the tests allow for slow and
// busy ones.
#include <doctest/doctest.h>

#include <chrono>

#include "framework/config/expand.h"
#include "tests/config/expansion.h"

using namespace gramflow;

namespace {

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

/// Codes of what is found in a text, which must be found quickly.
std::string codes_of(const std::string& text) {
  const auto start = std::chrono::steady_clock::now();
  Expansion result;
  result.document = expand(source_of(text), 0, result.diagnostics);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  CHECK(seconds.count() < 20);
  return result.codes();
}

}  // namespace

TEST_CASE("ten thousand nodes are read") {
  std::string text = "version: 1\nvars: {size: 3}\nnodes:\n";
  for (int i = 0; i < 10000; ++i)
    text += "  node_" + std::to_string(i) + ": {type: Load, path: content.jpg, size: $size, a: [1, 2, b]}\n";
  CHECK(codes_of(text) == "");
}

TEST_CASE("large files are refused before they are parsed") {
  CHECK(codes_of("a: " + std::string(9'000'000, 'x')) == "file-too-large");
  CHECK(codes_of("a: [" + repeated("1,", 4'000'000)) == "file-too-large");
  CHECK(codes_of(repeated("\n", 8'000'000)) == "file-too-large");
}

TEST_CASE("deep nesting is refused, however it is written") {
  CHECK(codes_of(std::string(8'000'000, '[')) == "too-deep");
  CHECK(codes_of(repeated("{a: ", 900) + std::string(900, '}')) == "too-deep");
  CHECK(codes_of(repeated("- ", 4'000'000)) == "too-deep");
  CHECK(codes_of(repeated("? ", 4'000'000)) == "too-deep");
  std::string steps;
  for (int i = 0; i < 1000; ++i) steps += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(codes_of(steps) == "too-deep");
}

TEST_CASE("texts cannot be blown up") {
  std::string text = "version: 1\nvars:\n  a0: xxxxxxxxxx\n";
  for (int i = 1; i < 20; ++i)
    text += "  a" + std::to_string(i) + ": \"" + repeated("${a" + std::to_string(i - 1) + "}", 10) + "\"\n";
  CHECK(codes_of(text + "nodes: {n: {type: T, p: $a19}}\n") == "too-many-values");
}

TEST_CASE("long chains of variables end in an error, not in a crash") {
  std::string text = "version: 1\nvars:\n  v0: 1\n";
  for (int i = 1; i < 20000; ++i) text += "  v" + std::to_string(i) + ": $v" + std::to_string(i - 1) + "\n";
  CHECK(codes_of(text + "nodes: {n: {type: T, p: $v0}}\n").starts_with("too-deep"));
}

TEST_CASE("one long line costs no more than many short ones") {
  CHECK(codes_of("{" + repeated("a,", 140'000) + "version: 1}")
            .starts_with("unknown-key duplicate-key duplicate-key"));
}
