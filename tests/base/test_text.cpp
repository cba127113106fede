#include <doctest/doctest.h>

#include <limits>

#include "framework/base/text.h"

using namespace gramflow;

namespace {
const std::vector<std::string> keys = {"layers", "weight", "iterations", "Load", "tv"};
std::string closest(const std::string& word) { return closest_match(word, keys); }
}  // namespace

TEST_CASE("one insertion, deletion, change or swap is a misspelling") {
  CHECK(closest("layrs") == "layers");
  CHECK(closest("layerss") == "layers");
  CHECK(closest("lavers") == "layers");
  CHECK(closest("wieght") == "weight");
}

TEST_CASE("case does not matter") { CHECK(closest("LOAD") == "Load"); }

TEST_CASE("a wholly different word is no misspelling") {
  CHECK(closest("picture").empty());
  CHECK(closest("ab").empty());
  CHECK(closest("file").empty());
  CHECK(closest("").empty());
}

TEST_CASE("the start of only one candidate means that candidate") {
  CHECK(closest("iter") == "iterations");
  const std::vector<std::string> twins = {"iterations", "iterator"};
  CHECK(closest_match("iter", twins).empty());
}

TEST_CASE("the closest of several is taken") {
  const std::vector<std::string> names = {"relu1_1", "relu2_1", "conv2_1"};
  CHECK(closest_match("relu_21", names) == "relu2_1");
}

TEST_CASE("hostile words cost nothing") {
  CHECK(closest(std::string(1'000'000, 'a')).empty());
  CHECK(closest_match("a", std::vector<std::string>{std::string(1'000'000, 'a')}).empty());
}

TEST_CASE("lists read like sentences") {
  CHECK(join_words(std::vector<std::string>{}) == "");
  CHECK(join_words(std::vector<std::string>{"a"}) == "a");
  CHECK(join_words(std::vector<std::string>{"a", "b"}) == "a and b");
  CHECK(join_words(std::vector<std::string>{"a", "b", "c"}, "or") == "a, b or c");
}

TEST_CASE("sizes of memory have the digits that matter") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes(123456789) == "118 MiB");
  CHECK(human_bytes(1048575) == "1.0 MiB");
  CHECK(human_bytes(std::numeric_limits<std::uint64_t>::max()) == "16.0 EiB");
}

TEST_CASE("times have the unit that people would use") {
  CHECK(human_seconds(0.0123) == "12.3 ms");
  CHECK(human_seconds(2.5e-5) == "25 us");
  CHECK(human_seconds(1.5) == "1.5 s");
  CHECK(human_seconds(59.99) == "1 min 0 s");
  CHECK(human_seconds(75) == "1 min 15 s");
  CHECK(human_seconds(3600) == "1 h 0 min");
  CHECK(human_seconds(std::numeric_limits<double>::infinity()) == "unknown");
}

TEST_CASE("UTF-8 is decoded strictly") {
  const auto first = [](std::string_view text) {
    std::size_t at = 0;
    return next_code_point(text, at);
  };
  CHECK(first("a") == U'a');
  CHECK(first("\xC3\xA9") == 0xE9);
  CHECK(first("\xE6\xA8\x99") == 0x6A19);
  CHECK(first("\xF0\x9F\x8E\xA8") == 0x1F3A8);
  CHECK(first("\x80") == invalid_code_point);              // continues nothing
  CHECK(first("\xC3") == invalid_code_point);              // cut off
  CHECK(first("\xC0\xAF") == invalid_code_point);          // '/' spelt too long
  CHECK(first("\xED\xA0\x80") == invalid_code_point);      // half of a surrogate pair
  CHECK(first("\xF4\x90\x80\x80") == invalid_code_point);  // above U+10FFFF
}

TEST_CASE("text in a message stays on its line") {
  CHECK(one_line("a\nb\tc\x1b[31m\xFF") == "a\\nb\\tc\\x1b[31m\\xff");
  CHECK(quote("abc") == "'abc'");
  CHECK(quote("abcdef", 3) == "'abc...'");
  CHECK(quote("ab\xC3\xA9", 3) == "'ab...'");  // not half of a letter
}
