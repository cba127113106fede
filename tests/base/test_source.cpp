#include <doctest/doctest.h>

#include "framework/base/source.h"

using namespace gramflow;

TEST_CASE("lines end at LF, CRLF and a lone CR alike") {
  const SourceFile file("a.yaml", "one\ntwo\r\nthree\rfour");
  CHECK(file.line_count() == 4);
  CHECK(file.line(1) == "one");
  CHECK(file.line(2) == "two");
  CHECK(file.line(3) == "three");
  CHECK(file.line(4) == "four");
}

TEST_CASE("lines that do not exist are empty") {
  const SourceFile file("a.yaml", "one\n");
  CHECK(file.line_count() == 2);
  CHECK(file.line(0).empty());
  CHECK(file.line(2).empty());
  CHECK(file.line(3).empty());
}

TEST_CASE("a byte order mark is no part of the first line") {
  CHECK(SourceFile("a.yaml", "\xEF\xBB\xBFone").line(1) == "one");
}

TEST_CASE("a span says file, line and column as far as it knows them") {
  const auto file = std::make_shared<SourceFile>("a.yaml", "one");
  CHECK(Span{file, {1, 2}, {1, 3}}.to_string() == "a.yaml:1:2");
  CHECK(Span{file, {}, {}}.to_string() == "a.yaml");
  CHECK(Span{}.to_string().empty());
  CHECK(!Span{file, {}, {}}.known());
}
