#include <doctest/doctest.h>

#include "framework/config/canonical.h"
#include "framework/config/expand.h"
#include "framework/config/yaml_writer.h"
#include "tests/config/expansion.h"

using namespace gramflow;

namespace {

std::string canonical(const std::string& text, std::vector<Override> overrides = {}) {
  Diagnostics diagnostics;
  std::string result = canonical_yaml(source_of("version: 1\n" + text, std::move(overrides)), diagnostics);
  CHECK(diagnostics.render() == "");
  return result;
}

const std::string composed =
    "vars: {size: 512, layers: [a, b], price: 5$$}\n"
    "subgraphs:\n  s: {inputs: [x], parameters: {w: 1}, outputs: {image: n}, nodes: {n: {type: T, image: x, "
    "w: $w}}}\n"
    "nodes:\n"
    "  a: {type: Load, path: \"in-${size}.jpg\", size: $size, layers: $layers, title: $price}\n"
    "  u: {type: s, x: a}\n"
    "  v: {type: Save, image: u}\n"
    "schedule:\n"
    "  - {set: {size: 256}}\n"
    "  - {set: {nodes.u.w: 3, nodes.v.extra: {deep: [1, {b: 2}]}}}\n";

}  // namespace

TEST_CASE("the canonical pipeline has nothing left to expand") {
  CHECK(canonical("vars: {size: 512}\nnodes: {a: {type: Load, size: $size, name: \"x ${size}\"}}\n",
                  {{"nodes.a.depth", "8"}}) ==
        "version: 1\n"
        "nodes:\n"
        "  a:\n"
        "    type: Load\n"
        "    size: 512\n"
        "    name: \"x 512\"\n"
        "    depth: 8\n");
}

TEST_CASE("what differs between stages stands in the schedule") {
  CHECK(canonical("vars: {size: 512}\nnodes: {a: {type: Load, size: $size}}\nschedule:\n  - {set: {size: "
                  "256}}\n  - {}\n") ==
        "version: 1\n"
        "nodes:\n"
        "  a:\n"
        "    type: Load\n"
        "    size: 256\n"
        "schedule:\n"
        "  - set: {}\n"
        "  - set:\n"
        "      nodes.a.size: 512\n");
}

TEST_CASE("the canonical pipeline expands to the same nodes in every stage") {
  Diagnostics diagnostics;
  const PipelineSource original = source_of("version: 1\n" + composed);
  const PipelineSource resolved = source_of(canonical(composed));
  for (int stage = 0; stage < 2; ++stage) {
    const Document before = expand(original, stage, diagnostics);
    const Document after = expand(resolved, stage, diagnostics);
    CHECK(after.stages == before.stages);
    REQUIRE(after.nodes.size() == before.nodes.size());
    for (std::size_t i = 0; i < before.nodes.size(); ++i) {
      CHECK(after.nodes[i].id == before.nodes[i].id);
      CHECK(after.nodes[i].type == before.nodes[i].type);
      for (const Entry& entry : before.nodes[i].entries) {
        CAPTURE(before.nodes[i].id + "." + entry.key);
        const auto& entries = after.nodes[i].entries;
        const auto same = std::find_if(entries.begin(), entries.end(),
                                       [&](const Entry& other) { return other.key == entry.key; });
        REQUIRE(same != entries.end());
        CHECK(to_yaml(*same->value) == to_yaml(*entry.value));
      }
    }
  }
  CHECK(diagnostics.render() == "");
}

TEST_CASE("the canonical form of the canonical form is itself") {
  const std::string once = canonical(composed);
  Diagnostics diagnostics;
  CHECK(canonical_yaml(source_of(once), diagnostics) == once);
}

TEST_CASE("a pipeline with errors has no canonical form") {
  Diagnostics diagnostics;
  CHECK(canonical_yaml(source_of("version: 1\nnodes: {a: {}}\n"), diagnostics).empty());
  CHECK(diagnostics.error_count() == 1);
}

TEST_CASE("the hash is FNV-1a of 128 bits") {
  CHECK(content_hash("") == "6c62272e07bb014262b821756295c58d");
  CHECK(content_hash("a") == "d228cb696f1a8caf78912b704e4a8964");
  CHECK(content_hash("foobar") == "343e1662793c64bf6f0d3597ba446f18");
}
