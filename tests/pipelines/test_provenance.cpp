// What pictures say of how they were made is true, travels with them, and makes them again.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "nodes/image/picture_io.h"
#include "tests/pipelines/program.h"

using namespace gramflow;
using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

std::string pipeline_text() {
  return fmt::format(R"(version: 1
include: {}/configs/subgraphs/restyle.yaml
vars: {{size: 40}}
nodes:
  photo:  {{type: Load, path: "bob's photo.pgm", size: $size}}
  style:  {{type: Noise, size: [48, 48], seed: 2, kind: bell}}
  first:  {{type: restyle, content: photo, style: style, iterations: 12}}
  second: {{type: restyle, content: first, style: style, iterations: 6}}
  s1: {{type: Save, image: first, path: "out/first-{{stage}}-{{iteration}}.png", every: 5}}
  s2: {{type: Save, image: second, path: out/second.png}}
schedule:
  - {{set: {{size: 32}}}}
  - {{set: {{nodes.second/result.method: lbfgs}}}}
)",
                     GRAMFLOW_SOURCE_DIR);
}

std::vector<float> pixels(const std::string& path) { return read_picture(path).rgb; }

}  // namespace

TEST_CASE("every sidecar makes its picture again, previews of both stages too, from where it lies") {
  const TemporaryFolder folder;
  put_picture(folder, "bob's photo.pgm", 64, 48);
  put(folder, "p.yaml", pipeline_text());
  REQUIRE(run_in(folder.path(), "run p.yaml").code == 0);
  int pictures = 0;
  for (const auto& entry : fs::directory_iterator(folder / "out")) {
    const std::string picture = entry.path().string();
    if (!picture.ends_with(".png")) continue;
    ++pictures;
    CAPTURE(picture);
    const std::string text = text_of(picture + ".gramflow.yaml");
    CHECK(text.starts_with("# gramflow provenance 1\n# made by gramflow "));
    CHECK(text.find("read picture ../bob's photo.pgm xxh128 ") != std::string::npos);
    CHECK(text.find(folder.path()) == std::string::npos);
    const std::string save = picture.find("second") != std::string::npos ? "s2" : "s1";
    const Outcome again =
        run_in(folder / "out", "run " + quoted(picture + ".gramflow.yaml") + " --no-sidecars --set nodes." +
                                   save + ".path=" + quoted(folder / "again.png"));
    CHECK(again.code == 0);
    CHECK(pixels(folder / "again.png") == pixels(picture));
  }
  CHECK(pictures == 7);  // 5, 10 and 12 of both stages, and the second one
}

TEST_CASE("the picture says the same, in every format that has a place for it; explain prints it") {
  const TemporaryFolder folder;
  put_picture(folder, "a.pgm", 40, 32);
  for (const std::string ending : {"png", "jpg", "tif", "exr", "webp"}) {
    CAPTURE(ending);
    put(folder, "p.yaml",
        "version: 1\nnodes:\n  a: {type: Load, path: a.pgm}\n  save: {type: Save, image: a, path: r." +
            ending + "}\n");
    REQUIRE(run_in(folder.path(), "run p.yaml").code == 0);
    const std::string sidecar = text_of(folder / ("r." + ending + ".gramflow.yaml"));
    const std::string picture = text_of(folder / ("r." + ending));
    fs::remove(folder / ("r." + ending + ".gramflow.yaml"));
    const Outcome explained = run_in(folder.path(), "explain r." + ending);
    CHECK(explained.code == 0);
    CHECK(explained.out == sidecar);
    REQUIRE(run_in(folder.path(), "run p.yaml").code == 0);
    CHECK(text_of(folder / ("r." + ending)) == picture);  // no time stamps
  }
}

TEST_CASE("metadata: none says nothing in the picture; explain then looks beside it, or says so") {
  const TemporaryFolder folder;
  put(folder, "p.yaml",
      "version: 1\nnodes:\n  a: {type: Noise, size: 16}\n  save: {type: Save, image: a, path: r.png, "
      "metadata: none}\n");
  REQUIRE(run_in(folder.path(), "run p.yaml").code == 0);
  CHECK(text_of(folder / "r.png").find("gramflow") == std::string::npos);
  CHECK(run_in(folder.path(), "explain r.png").code == 0);
  fs::remove(folder / "r.png.gramflow.yaml");
  CHECK(run_in(folder.path(), "explain r.png").code == 3);
}

TEST_CASE(
    "pictures of one name and two endings have sidecars of their own, and a user's file is left alone") {
  const TemporaryFolder folder;
  put(folder, "p.yaml",
      "version: 1\nnodes:\n  a: {type: Noise, size: 16}\n  s: {type: Save, image: a, path: r.png}\n"
      "  t: {type: Save, image: a, path: r.jpg}\n");
  put(folder, "r.jpg.gramflow.yaml", "version: 1\n# my own work\n");
  const Outcome outcome = run_in(folder.path(), "run p.yaml");
  CHECK(outcome.code == 0);
  CHECK(
      outcome.says("warning: r.jpg.gramflow.yaml: there is a file of that name that gramflow did not write"));
  CHECK(text_of(folder / "r.jpg.gramflow.yaml") == "version: 1\n# my own work\n");
  CHECK(text_of(folder / "r.png.gramflow.yaml").find("path: r.png") != std::string::npos);
  CHECK(text_of(folder / "r.png.gramflow.yaml").find("r.jpg") == std::string::npos);
  CHECK(run_in(folder.path(), "run p.yaml").code == 0);  // over its own
}

TEST_CASE("values of environment variables are nowhere in it, and it works where they are set") {
  const TemporaryFolder folder;
  put_picture(folder, "secret-place/a.pgm", 20, 16);
  put(folder, "p.yaml",
      "version: 1\nnodes:\n  a:\n    type: Load\n    path: ${env:PHOTOS}/a.pgm\n    size: ${env:SIDE}\n"
      "  s: {type: Save, image: a, path: \"r-${env:WHO}.png\"}\n");
  const std::string environment = "PHOTOS=" + quoted(folder / "secret-place") + " SIDE=18 WHO=bob42";
  REQUIRE(run_in(folder.path(), "run p.yaml", environment).code == 0);
  const std::string sidecar = folder / "r-bob42.png.gramflow.yaml";
  for (const std::string& text : {text_of(sidecar), text_of(folder / "r-bob42.png")})
    for (const std::string secret : {"secret-place", "bob42"}) CHECK(text.find(secret) == std::string::npos);
  CHECK(text_of(sidecar).find("${env:PHOTOS}/a.pgm") != std::string::npos);
  const std::string before = text_of(folder / "r-bob42.png");
  REQUIRE(run_in(folder.path(), "run r-bob42.png.gramflow.yaml", environment).code == 0);
  CHECK(text_of(folder / "r-bob42.png") == before);
}
