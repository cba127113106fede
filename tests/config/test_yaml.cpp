#include <doctest/doctest.h>

#include <cmath>

#include "framework/config/value.h"
#include "framework/config/yaml_reader.h"
#include "framework/config/yaml_writer.h"

using namespace gramflow;

namespace {

struct Parsed {
  Diagnostics diagnostics;
  ValuePtr root;
  explicit Parsed(std::string text)
      : root(parse_yaml(std::make_shared<SourceFile>("a.yaml", std::move(text)), diagnostics)) {}
  const Value& at(std::string_view key) const { return *root->find(key)->value; }
};

double number(std::string_view text) {
  double result = 0;
  REQUIRE(parse_number(text, result));
  return result;
}

bool is_number(std::string_view text) {
  double ignored = 0;
  return parse_number(text, ignored);
}

}  // namespace

TEST_CASE("maps keep the order of the file") {
  const Parsed parsed("b: 1\na: 2\nc: 3\n");
  std::string order;
  for (const Entry& entry : *parsed.root->map()) order += entry.key;
  CHECK(order == "bac");
}

TEST_CASE("a quoted number is a text") {
  const Parsed parsed("a: 12\nb: \"12\"\nc: '12'\nd: !!str 12\n");
  CHECK(!parsed.at("a").scalar()->quoted);
  CHECK(parsed.at("b").scalar()->quoted);
  CHECK(parsed.at("c").scalar()->quoted);
  CHECK(parsed.at("d").scalar()->quoted);
}

TEST_CASE("values know where they stand") {
  const Parsed parsed("a: 12\n\xC3\xA9t\xC3\xA9: {b: \"x y\", c: [1, zwei]}\n");
  CHECK(parsed.at("a").span.to_string() == "a.yaml:1:4");
  const Entry& summer = *parsed.root->find("\xC3\xA9t\xC3\xA9");
  CHECK(summer.key_span.begin == Position{2, 1});
  CHECK(summer.key_span.end == Position{2, 4});  // code points, not bytes
  CHECK(summer.value->find("b")->value->span.begin == Position{2, 10});
  CHECK(summer.value->find("b")->value->span.end == Position{2, 15});
  CHECK((*summer.value->find("c")->value->list())[1]->span.begin == Position{2, 24});
}

TEST_CASE("a missing value stands behind its key") {
  const Parsed parsed("a:\nb: ~\n");
  CHECK(parsed.at("a").is_null());
  CHECK(parsed.at("a").span.begin.line == 1);
  CHECK(parsed.at("b").span.begin == Position{2, 4});
}

TEST_CASE("a value that came through an alias says so in all its parts") {
  const Parsed parsed("a: &x [1, {k: 2}]\nb: *x\n");
  const Value& copy = parsed.at("b");
  REQUIRE(copy.notes.size() == 1);
  CHECK(copy.span.begin.line == 1);
  CHECK(copy.notes[0].span.begin == Position{2, 4});
  const Value& inner = *(*copy.list())[1]->find("k")->value;
  CHECK(inner.notes.at(0).span.begin == Position{2, 4});
  CHECK(parsed.at("a").notes.empty());
}

TEST_CASE("aliases may be keys") { CHECK(Parsed("a: &x name\n*x : 1\n").root->find("name") != nullptr); }

TEST_CASE("block texts and folded texts are read") {
  const Parsed parsed("a: |\n  one\n  two\nb: >\n  one\n  two\n");
  CHECK(parsed.at("a").scalar()->text == "one\ntwo\n");
  CHECK(parsed.at("b").scalar()->text == "one two\n");
}

TEST_CASE("several duplicate keys are all reported") {
  const Parsed parsed("a: 1\na: 2\nb: {c: 1, c: 2, c: 3}\n");
  CHECK(parsed.diagnostics.error_count() == 3);
  CHECK(parsed.at("a").scalar()->text == "1");
}

TEST_CASE("an empty file is nothing, without a word") {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "\xEF\xBB\xBF"}) {
    const Parsed parsed(text);
    CHECK(!parsed.diagnostics.has_errors());
    REQUIRE(parsed.root != nullptr);
    CHECK(parsed.root->is_null());
  }
}

TEST_CASE("200 levels are read, 201 are not") {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  CHECK(!Parsed(nested(200)).diagnostics.has_errors());
  CHECK(Parsed(nested(201)).diagnostics.has_errors());
}

TEST_CASE("aliases cannot nest deeper than a file may") {
  const std::string deep = std::string(150, '[') + std::string(150, ']');
  const Parsed parsed("a: &a " + deep + "\nb: " + std::string(60, '[') + "*a" + std::string(60, ']') + "\n");
  REQUIRE(parsed.diagnostics.error_count() == 1);
  CHECK(parsed.diagnostics.all()[0].code == "too-deep");
}

TEST_CASE("numbers are read as people write them") {
  CHECK(number("3") == 3);
  CHECK(number("-2.5") == -2.5);
  CHECK(number("+4") == 4);
  CHECK(number("1e4") == 1e4);
  CHECK(number("1.0E-4") == 1e-4);
  CHECK(number(".5") == 0.5);
  CHECK(std::isinf(number(".inf")));
  CHECK(number("-.inf") < 0);
  CHECK(std::isnan(number(".nan")));
  CHECK(std::isnan(number("nan")));
}

TEST_CASE("numbers beyond a double are infinite or zero") {
  CHECK(std::isinf(number("1e999")));
  CHECK(number("-1e999") < 0);
  CHECK(number("1e-999") == 0);
}

TEST_CASE("what only looks like a number is none") {
  for (const char* text : {"", "-", ".", "1.2.3", "1e", "0x10", "1 000", "1_000", "12px", "-.", "--1", "e5",
                           "infinite", "1,5", "true"}) {
    CAPTURE(text);
    CHECK(!is_number(text));
  }
}

TEST_CASE("messages call values what they are") {
  const Parsed parsed("a: 12\nb: abc\nc: [1]\nd: {}\ne:\nf: true\ng: \"12\"\nh: ''\n");
  CHECK(parsed.at("a").describe() == "the number 12");
  CHECK(parsed.at("b").describe() == "the text 'abc'");
  CHECK(parsed.at("c").describe() == "a list");
  CHECK(parsed.at("d").describe() == "an empty map");
  CHECK(parsed.at("e").describe() == "nothing");
  CHECK(parsed.at("f").describe() == "true");
  CHECK(parsed.at("g").describe() == "the text '12'");
  CHECK(parsed.at("h").describe() == "an empty text");
}

TEST_CASE("written YAML reads back the same") {
  const std::string text =
      "a: 1.0e4\nb: \"12\"\nc: ~\nd: []\ne: {}\nf: [1, [2, {x: y}], {p: [q]}]\ng: \"a: b # c\\n\\td\"\nh: "
      "'true'\ni: \"-\"\n"
      "j: \"\\x07\\\\ \\\"quoted\\\"\"\n\"k l\": {m: {n: [[]]}}\no: caf\xC3\xA9 au lait\np: '~'\nq: \"\"\nr: "
      "'a - b'\n\"~\": 1\n";
  const Parsed first(text.c_str());
  REQUIRE(first.root != nullptr);
  const std::string written = to_yaml(*first.root);
  const Parsed second(written);
  CAPTURE(written);
  REQUIRE(second.root != nullptr);
  CHECK(to_yaml(*second.root) == written);
  CHECK(second.at("b").scalar()->quoted);
  CHECK(!second.at("a").scalar()->quoted);
  CHECK(second.at("c").is_null());
  CHECK(second.at("g").scalar()->text == "a: b # c\n\td");
  CHECK(second.at("p").scalar()->text == "~");
}
