// Previews look at a run and do not touch it: every recipe ends in the same bits with them and without.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "framework/config/read_pipeline.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

struct Recipe {
  const char* name;
  std::vector<Override> small;
};

std::vector<Recipe> recipes() {
  const std::vector<Override> by_size = {{"size", "72"}, {"iterations", "6"}};
  const std::vector<Override> by_sides = {{"width", "72"}, {"height", "48"}, {"iterations", "6"}};
  std::vector<Override> stages = {{"width", "36"}, {"height", "24"}, {"iterations", "6"}};
  return {{"first-light", by_size}, {"gatys", by_size},       {"d2l", by_sides},
          {"texture", by_size},     {"reconstruct", by_size}, {"d2l-two-stage", stages}};
}

/// `previews`: nodes that look at `picture`.
std::vector<float> result_with(const Recipe& recipe, const std::string& previews, bool poison = false) {
  const TemporaryFolder folder;
  std::string nodes = previews;
  for (std::size_t at = nodes.find("OUT"); at != std::string::npos; at = nodes.find("OUT"))
    nodes.replace(at, 3, folder.path());
  PipelineSource source = read_pipeline(fmt::format("{}/configs/{}.yaml", GRAMFLOW_SOURCE_DIR, recipe.name));
  std::string text(source.file->text());
  text.insert(text.find("\nnodes:\n") + 8, nodes);
  source.file = std::make_shared<SourceFile>(source.file->name(), text);
  source.overrides = recipe.small;
  source.overrides.push_back({"output", folder / "result.png"});
  Diagnostics warnings;
  auto stages = compile_stages(source, standard_nodes(shipped_library()), warnings);
  RunOptions options;
  if (poison) options.before_stage = poison_free_memory;
  return result_of(run_stages(std::move(stages), options));
}

const std::string same_size =
    "  preview: {type: Save, image: picture, path: 'OUT/p-{stage}-{iteration}.png', every: 2}\n";
const std::string larger =
    "  big: {type: Resize, image: picture, size: 600}\n"
    "  big_preview: {type: Save, image: big, path: OUT/b.png, every: 1}\n";
const std::string worked_on =
    "  photo: {type: Noise, size: [300, 200]}\n"
    "  crisp: {type: Sharpen, image: big, radius: 2}\n"
    "  graded: {type: Grade, image: crisp, contrast: 1.3}\n"
    "  late: {type: Save, image: graded, path: OUT/g.png, every: 3}\n"
    "  other: {type: Save, image: photo, path: OUT/n.png, every: 1}\n";

}  // namespace

TEST_CASE("every recipe ends in the same bits with previews of its size, larger ones, and several") {
  for (const Recipe& recipe : recipes()) {
    CAPTURE(recipe.name);
    const std::vector<float> plain = result_with(recipe, "");
    CHECK(result_with(recipe, same_size) == plain);
    CHECK(result_with(recipe, larger) == plain);
    CHECK(result_with(recipe, same_size + larger + worked_on) == plain);
  }
}

TEST_CASE("free memory holds nothing that the next iteration or preview needs") {
  for (const Recipe& recipe : recipes()) {
    CAPTURE(recipe.name);
    CHECK(result_with(recipe, same_size + larger + worked_on, true) == result_with(recipe, ""));
  }
}

TEST_CASE("plans with previews are proven") {
  for (const int size : {40, 300, 900}) {
    const std::string yaml = small_transfer("method: adam, iterations: 5") +
                             fmt::format(
                                 "  big: {{type: Resize, image: picture, size: {}}}\n"
                                 "  preview: {{type: Save, image: big, path: p.png, every: 2}}\n",
                                 size);
    CHECK_NOTHROW(compiled(yaml, test_nodes(shipped_library())));
  }
}
