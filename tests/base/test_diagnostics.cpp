#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "framework/base/diagnostics.h"

using namespace gramflow;

namespace {

std::shared_ptr<const SourceFile> file_of(std::string text, std::string name = "a.yaml") {
  return std::make_shared<SourceFile>(std::move(name), std::move(text));
}

std::string rendered(const std::string& line, int column, int length) {
  Diagnostics diagnostics;
  diagnostics.error("code", {file_of(line), {1, column}, {1, column + length}}, "message");
  const std::string text = diagnostics.render();
  return text.substr(text.find('\n') + 1);
}

}  // namespace

TEST_CASE("a finding shows its place, its line, a caret and the suggestion") {
  Diagnostics diagnostics;
  diagnostics.error("unknown-key", {file_of("a: 1\nlayrs: 2\n"), {2, 1}, {2, 6}}, "no such key")
      .suggest("did you mean 'layers'?");
  CHECK(diagnostics.render() ==
        "a.yaml:2:1: error: no such key [unknown-key]\n"
        "    2 | layrs: 2\n"
        "      | ^~~~~ did you mean 'layers'?\n");
}

TEST_CASE("notes show their own places") {
  const auto file = file_of("a: 1\na: 2\n");
  Diagnostics diagnostics;
  diagnostics.error("twice", {file, {2, 1}, {2, 2}}, "twice")
      .note("first here", {file, {1, 1}, {1, 2}})
      .note("and a remark");
  CHECK(diagnostics.render() ==
        "a.yaml:2:1: error: twice [twice]\n"
        "    2 | a: 2\n"
        "      | ^\n"
        "a.yaml:1:1: note: first here\n"
        "    1 | a: 1\n"
        "      | ^\n"
        "      note: and a remark\n");
}

TEST_CASE("equal notes are shown once") {
  Diagnostics diagnostics;
  diagnostics.error("code", {}, "message").note("in subgraph").note("in subgraph");
  CHECK(diagnostics.render() == "error: message [code]\n      note: in subgraph\n");
}

TEST_CASE("the caret stands under its letter") {
  CHECK(rendered("\tkey", 2, 3) == "    1 | \xE2\x86\x92key\n      |  ^~~\n");
  CHECK(rendered("\xE6\xA8\x99\xE9\xA1\x8C: x", 5, 1) ==
        "    1 | \xE6\xA8\x99\xE9\xA1\x8C: x\n      |       ^\n");  // two columns a letter
  CHECK(rendered("caf\xC3\xA9: x", 7, 1) == "    1 | caf\xC3\xA9: x\n      |       ^\n");
  CHECK(rendered("ab", 3, 1) == "    1 | ab\n      |   ^\n");  // behind the end
}

TEST_CASE("what would harm a terminal is replaced") {
  CHECK(rendered("a\x1b[31m\xFF", 1, 1) == "    1 | a\xEF\xBF\xBD[31m\xEF\xBF\xBD\n      | ^\n");
  Diagnostics diagnostics;
  diagnostics.error("code", {}, "found\n\x1b[31m");
  CHECK(diagnostics.render() == "error: found\\n\\x1b[31m [code]\n");
}

TEST_CASE("a long line is cut around the caret") {
  const std::string text = rendered(std::string(1000, 'a') + "X" + std::string(1000, 'b'), 1001, 1);
  const std::string line = text.substr(0, text.find('\n'));
  CHECK(line.size() < 140);
  const std::size_t caret = text.rfind('^') - text.find('\n') - 1;
  CHECK(line[caret] == 'X');
}

TEST_CASE("findings are sorted by file as first mentioned, then by place") {
  const auto first = file_of("1\n2\n3\n", "b.yaml");
  const auto second = file_of("1\n", "a.yaml");
  Diagnostics diagnostics;
  diagnostics.error("code", {first, {3, 1}, {3, 2}}, "third");
  diagnostics.error("code", {second, {1, 1}, {1, 2}}, "last");
  diagnostics.error("code", {first, {1, 4}, {1, 5}}, "second");
  diagnostics.error("code", {first, {1, 2}, {1, 5}}, "first");
  std::string order;
  for (const Diagnostic& item : diagnostics.sorted()) order += item.message + " ";
  CHECK(order == "first second third last ");
}

TEST_CASE("equal findings are shown once, others at the same place are kept") {
  const Span place{file_of("1"), {1, 1}, {1, 2}};
  Diagnostics diagnostics;
  diagnostics.error("code", place, "one");
  diagnostics.error("code", place, "two");
  diagnostics.error("code", place, "one");
  CHECK(diagnostics.sorted().size() == 2);
  CHECK(diagnostics.error_count() == 3);
}

TEST_CASE("warnings are no errors") {
  Diagnostics diagnostics;
  diagnostics.warning("code", {}, "careful");
  CHECK(!diagnostics.has_errors());
  CHECK(diagnostics.render() == "warning: careful [code]\n");
}

TEST_CASE("ten thousand findings end in a count") {
  Diagnostics diagnostics;
  const auto file = file_of("1");
  for (int i = 0; i < 10000; ++i) diagnostics.error("code", {file, {i + 1, 1}, {i + 1, 2}}, "message");
  const std::string text = diagnostics.render();
  CHECK(text.ends_with("... and 9500 more like these\n"));
}

TEST_CASE("colour is used only when asked for") {
  Diagnostics diagnostics;
  diagnostics.error("code", {file_of("a"), {1, 1}, {1, 2}}, "message");
  CHECK(diagnostics.render(false).find('\x1b') == std::string::npos);
  CHECK(diagnostics.render(true).find("\x1b[1;31merror: ") != std::string::npos);
}

TEST_CASE("editors get places, codes and related places as JSON") {
  const auto file = file_of("a: 1\na: 2\n");
  Diagnostics diagnostics;
  diagnostics.error("twice", {file, {2, 1}, {2, 2}}, "twice\xFF")
      .suggest("keep one")
      .note("first here", {file, {1, 1}, {1, 2}});
  const nlohmann::json json = nlohmann::json::parse(diagnostics.to_json());
  REQUIRE(json.size() == 1);
  CHECK(json[0]["severity"] == "error");
  CHECK(json[0]["code"] == "twice");
  CHECK(json[0]["suggestion"] == "keep one");
  CHECK(json[0]["file"] == "a.yaml");
  CHECK(json[0]["range"]["start"]["line"] == 2);
  CHECK(json[0]["range"]["end"]["column"] == 2);
  CHECK(json[0]["related"][0]["message"] == "first here");
  CHECK(json[0]["related"][0]["range"]["start"]["line"] == 1);
}

TEST_CASE("a finding without a place has none in JSON") {
  Diagnostics diagnostics;
  diagnostics.warning("code", {}, "message");
  const nlohmann::json json = nlohmann::json::parse(diagnostics.to_json());
  CHECK(json[0]["range"].is_null());
  CHECK(json[0]["file"].is_null());
}
