#include <doctest/doctest.h>

#include <any>

#include "framework/config/yaml_reader.h"
#include "tests/schema/sample.h"

using namespace gramflow;

namespace {

struct Decoded {
  Diagnostics diagnostics;
  Sample sample;

  explicit Decoded(const std::string& yaml, const std::vector<std::string>& ports = {}) {
    const ValuePtr root = parse_yaml(std::make_shared<SourceFile>("a.yaml", yaml), diagnostics);
    REQUIRE(root != nullptr);
    const std::vector<Entry> entries = root->map() != nullptr ? *root->map() : std::vector<Entry>{};
    sample = std::any_cast<Sample>(
        ParameterSchema::of<Sample>().decode(entries, ports, root->span, "Test 'n'", diagnostics));
  }
  /// "code: message -> suggestion" of the only finding; "" when there is none.
  std::string said() const {
    const std::vector<Diagnostic> items = diagnostics.sorted();
    if (items.empty()) return "";
    REQUIRE(items.size() == 1);
    return items[0].code + ": " + items[0].message +
           (items[0].suggestion.empty() ? "" : " -> " + items[0].suggestion);
  }
};

std::string said(const std::string& yaml) { return Decoded(yaml).said(); }

}  // namespace

TEST_CASE("what is not written keeps its default") {
  const Decoded decoded("{}");
  CHECK(decoded.said() == "");
  CHECK(decoded.sample.weight == 1);
  CHECK(decoded.sample.path == "out.png");
  CHECK(!decoded.sample.clip.has_value());
}

TEST_CASE("every kind of parameter is decoded") {
  const Decoded decoded(
      "{weight: 1e3, iterations: 1e2, seed: 18446744073709551615, verbose: true, path: a.jpg, title: \"12\", "
      "method: lbfgs,\n"
      " layers: [a, b], factors: [0, .5], clip: -2, weights: {a: 1, b: 2}, decay: {every: 3}}");
  CHECK(decoded.said() == "");
  const Sample& sample = decoded.sample;
  CHECK(sample.weight == 1000);
  CHECK(sample.iterations == 100);
  CHECK(sample.seed == 18446744073709551615ULL);
  CHECK(sample.verbose);
  CHECK(sample.title == "12");
  CHECK(sample.method == Method::lbfgs);
  CHECK(sample.layers == std::vector<std::string>{"a", "b"});
  CHECK(sample.factors == std::vector<double>{0, 0.5});
  CHECK(sample.clip == -2);
  CHECK(sample.weights.at("b") == 2);
  CHECK(sample.decay->every == 3);
  CHECK(sample.decay->factor == 0.5);
}

TEST_CASE("a wrong type says what was found and what is taken") {
  CHECK(said("weight: heavy") == "wrong-type: 'weight' takes a number >= 0, found the text 'heavy'");
  CHECK(said("weight: [1]") == "wrong-type: 'weight' takes a number >= 0, found a list");
  CHECK(said("weights: 3") ==
        "wrong-type: 'weights' takes a map, found the number 3 -> for example {relu1_1: 0.5}");
  CHECK(said("decay: 3") ==
        "wrong-type: 'decay' takes a map, found the number 3 -> for example {factor: ..., every: ...}");
  CHECK(said("method: [adam]") == "wrong-type: 'method' takes adam or lbfgs, found a list");
}

TEST_CASE("what was probably meant is suggested") {
  CHECK(said("weight: \"2\"") ==
        "wrong-type: 'weight' takes a number >= 0, found the text '2' -> without the quotes: 2");
  CHECK(said("weight: 0,5") == "wrong-type: 'weight' takes a number >= 0, found the text '0,5' -> write 0.5");
  CHECK(said("path: 12") ==
        "wrong-type: 'path' takes a text, found the number 12 -> put it in quotes if it is meant as a text: "
        "\"12\"");
  CHECK(said("verbose: yes") ==
        "wrong-type: 'verbose' takes true or false, found the text 'yes' -> write true");
  CHECK(said("verbose: 0") == "wrong-type: 'verbose' takes true or false, found the number 0 -> write false");
  CHECK(said("layers: a") ==
        "wrong-type: 'layers' takes a list of text, found the text 'a' -> write it in brackets: [a]");
  CHECK(said("method: adm") ==
        "unknown-choice: 'method' takes adam or lbfgs, found 'adm' -> did you mean 'adam'?");
  CHECK(said("iterations: 1.5") ==
        "wrong-type: 'iterations' takes a whole number >= 1 and <= 1000, found the number 1.5 -> for example "
        "2");
}

TEST_CASE("limits hold for numbers, also in lists, maps and structs") {
  CHECK(said("weight: -1") == "out-of-range: 'weight' must be >= 0, found -1");
  CHECK(said("iterations: 0") == "out-of-range: 'iterations' must be >= 1 and <= 1000, found 0");
  CHECK(said("iterations: 1e9") == "out-of-range: 'iterations' must be >= 1 and <= 1000, found 1e9");
  CHECK(said("factors: [1, -1]") == "out-of-range: 'factors' must be >= 0, found -1");
  CHECK(said("weights: {a: -1}") == "out-of-range: 'weights.a' must be >= 0, found -1");
  CHECK(said("decay: {every: 1, factor: 0}") == "out-of-range: 'decay.factor' must be > 0 and <= 1, found 0");
}

TEST_CASE("whole numbers fit their type") {
  CHECK(said("seed: -1") == "out-of-range: 'seed' must be 0 or more, found -1");
  CHECK(said("seed: 18446744073709551616") ==
        "out-of-range: 'seed' must be 18446744073709551615 or less, found 18446744073709551616");
  CHECK(said("seed: 9007199254740993") == "");
  CHECK(Decoded("seed: 9007199254740993").sample.seed == 9007199254740993ULL);
}

TEST_CASE("infinities and NaN are refused") {
  CHECK(said("weight: .inf") == "not-finite: 'weight' takes a finite number, found .inf");
  CHECK(said("clip: nan") == "not-finite: 'clip' takes a finite number, found nan");
  CHECK(said("weight: 1e999") == "not-finite: 'weight' takes a finite number, found 1e999");
  CHECK(said("seed: -.inf") == "not-finite: 'seed' takes a finite number, found -.inf");
}

TEST_CASE("empty lists and texts are refused where something must stand") {
  CHECK(said("layers: []") == "empty: 'layers' must not be empty");
  CHECK(said("path: \"\"") == "empty: 'path' must not be empty");
  CHECK(said("title: \"\"") == "");
}

TEST_CASE("a key without a value, or with null, unsets what has a default, and is a mistake otherwise") {
  for (const std::string nothing : {"", " null", " ~"}) {
    CHECK(said("weight:" + nothing) == "");
    CHECK(said("clip:" + nothing) == "");
  }
  CHECK(said("decay: {every: }") ==
        "wrong-type: 'decay.every' has no value; one was expected behind the ':' -> write one");
}

TEST_CASE("required parameters must be there") {
  CHECK(said("decay: {factor: 1}") ==
        "missing-parameter: 'decay' has no 'decay.every': iterations between steps -> add 'every: ...'");
}

TEST_CASE("unknown keys are mistakes, and ports are no unknown keys") {
  CHECK(said("wieght: 1") == "unknown-key: Test 'n' has no 'wieght' -> did you mean 'weight'?");
  CHECK(said("decay: {every: 1, fcator: 1}") ==
        "unknown-key: 'decay' has no 'fcator' -> did you mean 'factor'?");
  CHECK(Decoded("image: a", {"image"}).said() == "");
  CHECK(Decoded("imge: a", {"image"}).said() ==
        "unknown-key: Test 'n' has no 'imge' -> did you mean 'image'?");
}

TEST_CASE("all mistakes are found in one go, and what is good is kept") {
  const Decoded decoded("{weight: x, iterations: 7, layers: [1, a, 2], colour: red}");
  CHECK(decoded.diagnostics.error_count() == 4);
  CHECK(decoded.sample.iterations == 7);
}

TEST_CASE("how a value came to its place is told with the mistake") {
  const Decoded decoded("x: &a heavy\nweight: *a\n", {"x"});
  REQUIRE(decoded.diagnostics.all().size() == 1);
  const Diagnostic& item = decoded.diagnostics.all()[0];
  CHECK(item.span.begin.line == 1);
  REQUIRE(item.notes.size() == 1);
  CHECK(item.notes[0].span.begin.line == 2);
}

TEST_CASE("nothing more is said about a broken value") {
  auto broken = std::make_shared<Value>();
  broken->broken = true;
  auto list = std::make_shared<Value>();
  list->data = Value::List{broken};
  Diagnostics diagnostics;
  const std::vector<Entry> entries = {
      {"weight", {}, broken}, {"layers", {}, list}, {"decay", {}, broken}, {"method", {}, broken}};
  ParameterSchema::of<Sample>().decode(entries, {}, {}, "Test", diagnostics);
  CHECK(diagnostics.render() == "");
}

TEST_CASE("a type without parameters takes none") {
  Diagnostics diagnostics;
  auto value = std::make_shared<Value>();
  ParameterSchema().decode({{"weight", {}, value}}, {}, {}, "Test 'n'", diagnostics);
  CHECK(diagnostics.render() == "error: Test 'n' has no 'weight' [unknown-key]\n      it takes nothing\n");
}
