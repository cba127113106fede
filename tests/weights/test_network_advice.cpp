// Habits of other programs in a network's file: each is answered with what to write, and what to write works.
#include <doctest/doctest.h>

#include "tests/weights/support.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::string with_layer(const std::string& keys) {
  return "name: x\ninput: {mean: [0, 0, 0]}\nweights: {file: x}\nlayers:\n  - {conv: a, in: 3, out: 4" +
         keys + "}\n";
}
std::string with_pool(const std::string& keys) {
  return "name: x\ninput: {mean: [0, 0, 0]}\nweights: {file: x}\nlayers:\n  - {conv: a, in: 3, out: 4}\n  - "
         "{pool: p" +
         keys + "}\n";
}

std::size_t errors_in(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find("error:"); at != std::string::npos; at = text.find("error:", at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("each is one error with a suggestion") {
  struct Case {
    std::string yaml;
    const char* says;
  };
  for (const Case& habit :
       {Case{with_layer(", bias: false"), "bias: none"}, Case{with_layer(", bias: true"), "leave 'bias' out"},
        Case{with_layer(", norm: true"), "norm: bn1"}, Case{with_pool(", kind: avg"), "kind: average"},
        Case{with_layer(", stride: 1"), "leave 'stride' out"},
        Case{with_layer(", stride: 2"), "another stride cannot be expressed"},
        Case{with_layer(", groups: 2"), "such a layer cannot be expressed"},
        Case{with_layer(", dilation: 1"), "leave 'dilation' out"},
        Case{with_pool(", stride: 2"), "leave it out at a 2x2 pool"},
        Case{with_layer(", negative_slope: 0.2"), "another activation cannot be expressed"},
        Case{with_layer(", activation: relu"), "a ReLU follows unless relu: false"},
        Case{with_layer(", activation: linear"), "relu: false"},
        Case{with_layer(", relu: leaky"), "another activation cannot be expressed"},
        Case{with_layer(", batch_norm: bn1"), "norm: PREFIX"}}) {
    const std::string mistakes = mistakes_of(habit.yaml);
    INFO(mistakes);
    CHECK(errors_in(mistakes) == 1);
    CHECK(contains(mistakes, habit.says));
  }
}

TEST_CASE("one mean for all channels is answered with three") {
  const std::string mistakes = mistakes_of(
      "name: x\ninput: {mean: 0.5, std: 0.25}\nweights: {file: x}\nlayers: [{conv: a, in: 3, out: 4}]\n");
  CHECK(errors_in(mistakes) == 2);
  CHECK(contains(mistakes, "mean: [0.5, 0.5, 0.5]"));
  CHECK(contains(mistakes, "std: [0.25, 0.25, 0.25]"));
}

TEST_CASE("what the answers say can be written") {
  CHECK(mistakes_of(with_layer(", bias: none")) == "");
  CHECK(mistakes_of(with_layer(", norm: none")) == "");
  CHECK(mistakes_of(with_layer(", norm: bn1, epsilon: 0.001")) == "");
  CHECK(mistakes_of(with_pool(", kind: average")) == "");
  CHECK(mistakes_of(with_layer(", relu: false")) == "");
}
