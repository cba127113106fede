// A path that is read means the place where it was written. Every picture has a size of its own, by which
// `check` tells which one was taken.
#include <doctest/doctest.h>

#include "tests/pipelines/program.h"

using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

const std::string save = "  save: {type: Save, image: photo, path: out/never.png}\n";

/// show/look.yaml takes `picture`; beside it lies a picture of 20x10, in shot/ one of 40x30, both of one
/// name.
class Show : public TemporaryFolder {
 public:
  Show() {
    put_picture(*this, "show/a.png", 20, 10);
    put_picture(*this, "shot/a.png", 40, 30);
    put(*this, "show/look.yaml",
        "version: 1\nvars: {picture: a.png}\nnodes:\n  photo: {type: Load, path: $picture}\n" + save);
  }
  Outcome check(const std::string& from, const std::string& arguments, const std::string& before = "") const {
    return run_in(*this / from, "check " + arguments, before);
  }
};

}  // namespace

TEST_CASE("what is typed starts at the current folder, however it comes into the pipeline") {
  const Show show;
  put(show, "show/env.yaml", "version: 1\nnodes:\n  photo: {type: Load, path: \"${env:STYLE}\"}\n" + save);
  put(show, "show/env-folder.yaml",
      "version: 1\nnodes:\n  photo: {type: Load, path: \"${env:STYLE}/a.png\"}\n" + save);
  put(show, "show/parts.yaml",
      "version: 1\nvars: {folder: ., name: a}\nnodes:\n  photo: {type: Load, path: "
      "\"${folder}/${name}.png\"}\n" +
          save);
  put(show, "show/sub.yaml",
      "version: 1\nsubgraphs:\n  s:\n    parameters: {file: a.png}\n    outputs: {image: p}\n    nodes: {p: "
      "{type: "
      "Load, path: $file}}\nnodes:\n  photo: {type: s}\n" +
          save);
  const std::vector<std::pair<std::string, std::string>> ways = {
      {"../show/look.yaml --set picture=a.png", ""},
      {"../show/look.yaml --set picture=./a.png", ""},
      {"../show/look.yaml --set picture=../shot/a.png", ""},
      {"../show/look.yaml --set nodes.photo.path=a.png", ""},
      {"../show/look.yaml --set 'picture=${env:STYLE}'", "STYLE=a.png"},
      {"../show/env.yaml", "STYLE=a.png"},
      {"../show/env.yaml", "STYLE=./a.png"},
      {"../show/env-folder.yaml", "STYLE=."},
      {"../show/parts.yaml --set folder=../shot", ""},
      {"../show/parts.yaml --set folder=.", ""},
      {"../show/sub.yaml --set nodes.photo.file=a.png", ""},
      {"../show/sub.yaml --set nodes.photo/p.path=a.png", ""},
      {"- --set picture=a.png < ../show/look.yaml", ""},
      {"- < ../show/look.yaml", ""},
  };
  for (const auto& [arguments, before] : ways) {
    CAPTURE(arguments);
    const Outcome outcome = show.check("shot", arguments, before);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find("40x30") != std::string::npos);
  }
}

TEST_CASE("what a file says starts at that file: the main one, an included one, a subgraph's, a stage's") {
  const Show show;
  put_picture(show, "show/lib/a.png", 24, 12);
  const std::string loader = "  photo: {type: Load, path: a.png}\n";
  put(show, "show/lib/nodes.yaml", "version: 1\nnodes:\n" + loader);
  put(show, "show/lib/vars.yaml", "version: 1\nvars: {picture: a.png}\n");
  put(show, "show/lib/sub.yaml",
      "version: 1\nsubgraphs:\n  s:\n    parameters: {file: a.png}\n    outputs: {image: p}\n    nodes: {p: "
      "{type: "
      "Load, path: $file}}\n");
  const auto includes = [](const std::string& file, const std::string& rest) {
    return "version: 1\ninclude: lib/" + file + "\n" + rest + save;
  };
  put(show, "show/nodes.yaml", includes("nodes.yaml", "nodes:\n"));
  put(show, "show/vars.yaml", includes("vars.yaml", "nodes:\n  photo: {type: Load, path: $picture}\n"));
  put(show, "show/sub.yaml", includes("sub.yaml", "nodes:\n  photo: {type: s}\n"));
  put(show, "show/given.yaml", includes("sub.yaml", "nodes:\n  photo: {type: s, file: a.png}\n"));
  put(show, "show/over.yaml",
      includes("vars.yaml", "vars: {picture: a.png}\nnodes:\n  photo: {type: Load, path: $picture}\n"));
  put(show, "show/text.yaml",
      includes("vars.yaml", "vars: {n: a}\nnodes:\n  photo: {type: Load, path: \"${n}.png\"}\n"));
  put(show, "show/default.yaml",
      "version: 1\nnodes:\n  photo: {type: Load, path: \"${env:GRAMFLOW_NOT_SET:-a.png}\"}\n" + save);
  put(show, "show/stage.yaml",
      "version: 1\nvars: {picture: nowhere.png}\nnodes:\n  photo: {type: Load, path: $picture}\n" + save +
          "schedule:\n  - {set: {picture: a.png}}\n");
  put(show, "show/set.yaml",
      "version: 1\nvars: {n: x}\nnodes:\n  photo: {type: Load, path: \"lib/${n}\"}\n" + save);
  const std::vector<std::pair<std::string, std::string>> files = {
      {"look.yaml", "20x10"},    {"nodes.yaml", "24x12"},
      {"vars.yaml", "24x12"},    {"sub.yaml", "24x12"},
      {"given.yaml", "20x10"},   {"over.yaml", "20x10"},
      {"text.yaml", "20x10"},    {"stage.yaml", "20x10"},
      {"default.yaml", "20x10"}, {"set.yaml --set n=a.png", "24x12"}};
  for (const auto& [arguments, size] : files) {
    CAPTURE(arguments);
    for (const std::string from : {"shot", "show"}) {
      const Outcome outcome = show.check(from, "../show/" + arguments);
      CAPTURE(outcome.err);
      CHECK(outcome.code == 0);
      CHECK(outcome.out.find(size) != std::string::npos);
    }
  }
}

TEST_CASE("a fallback is told, and two candidates are; one file by two names is not") {
  const Show show;
  put_picture(show, "show/only-there.png", 22, 11);
  put_picture(show, "shot/only-here.png", 44, 33);
  const Outcome beside = show.check("shot", "../show/look.yaml --set picture=only-there.png");
  CHECK(beside.code == 0);
  CHECK(beside.says("22x11"));
  CHECK(beside.says("[found-elsewhere]"));
  put(show, "show/here.yaml", "version: 1\nnodes:\n  photo: {type: Load, path: only-here.png}\n" + save);
  const Outcome current = show.check("shot", "../show/here.yaml");
  CHECK(current.says("44x33"));
  CHECK(current.says("[found-elsewhere]"));
  CHECK(show.check("shot", "../show/look.yaml --set picture=a.png").says("[two-candidates]"));
  CHECK(show.check("shot", "../show/look.yaml").says("[two-candidates]"));
  CHECK_FALSE(show.check("show", "look.yaml --set picture=a.png").says("warning"));
  CHECK_FALSE(show.check("shot", "../show/look.yaml --set picture=only-here.png").says("warning"));
  const Outcome nowhere = show.check("shot", "../show/look.yaml --set picture=nowhere.png");
  CHECK(nowhere.code == 3);
  CHECK(nowhere.says("looked for"));
}

TEST_CASE("the first lines of a run tell it as well") {
  const Show show;
  const Outcome outcome = run_in(show / "shot", "run ../show/look.yaml --set nodes.save.path=out/made.png");
  CHECK(outcome.code == 0);
  CHECK(outcome.says("[two-candidates]"));
}

TEST_CASE("resolve names the same pictures wherever its text is put, and gives the same text again") {
  const Show show;
  put_picture(show, "show/lib/a.png", 24, 12);
  put(show, "show/lib/lib.yaml", "version: 1\nvars: {picture: a.png}\n");
  put(show, "show/main.yaml",
      "version: 1\ninclude: lib/lib.yaml\nnodes:\n  photo: {type: Load, path: $picture}\n" + save);
  const Outcome resolved = run_in(show / "show", "resolve main.yaml");
  put(show, "shot/deep/resolved.yaml", resolved.out);
  for (const std::string from : {"show", "shot", "shot/deep"}) {
    const Outcome again = show.check(from, show / "shot/deep/resolved.yaml");
    CHECK(again.says("24x12"));
    CHECK_FALSE(again.says("warning"));
  }
  CHECK(run_in(show / "shot", "resolve deep/resolved.yaml").out == resolved.out);
}

TEST_CASE("what lies beside a picture reads the same pictures from any folder, also after both were moved") {
  const Show show;
  put(show, "show/first.yaml",
      "version: 1\nnodes:\n  photo: {type: Load, path: a.png}\n  save: {type: Save, image: photo, path: "
      "out/b.png}\n");
  const Outcome made = run_in(show / "shot", "run ../show/first.yaml");
  REQUIRE(made.code == 0);
  const std::string sidecar = show / "shot/out/b.png.gramflow.yaml";
  CHECK(text_of(sidecar).find(show.path()) == std::string::npos);
  CHECK(show.check("show", sidecar).says("20x10"));
  CHECK(show.check("shot/out", "b.png.gramflow.yaml").says("20x10"));
  const TemporaryFolder elsewhere;
  fs::copy(show.path(), elsewhere / "moved", fs::copy_options::recursive);
  CHECK(run_in(elsewhere.path(), "check moved/shot/out/b.png.gramflow.yaml").says("20x10"));
  // Run from the same folder it makes the same file, to the last bit.
  const std::string before = text_of(show / "shot/out/b.png");
  REQUIRE(run_in(show / "shot", "run out/b.png.gramflow.yaml").code == 0);
  CHECK(text_of(show / "shot/out/b.png") == before);
}

TEST_CASE("a pipeline that is a link has the pictures beside the link, and then those beside its target") {
  const Show show;
  fs::create_directories(show / "links");
  fs::create_symlink("../show/look.yaml", show / "links/look.yaml");
  CHECK(show.check("links", "look.yaml").says("20x10"));
  put_picture(show, "links/a.png", 26, 13);
  CHECK(show.check("shot", "../links/look.yaml").says("26x13"));
}

TEST_CASE("the file of a network is found as pictures are") {
  const Show show;
  const std::string networks = GRAMFLOW_SOURCE_DIR "/configs/networks/";
  fs::copy_file(networks + "vgg19-mini.yaml", show / "shot/net.yaml");
  fs::create_symlink(networks + "vgg19-mini.safetensors", show / "shot/vgg19-mini.safetensors");
  put(show, "show/net.yaml", "version: 1\n");  // no network
  put(show, "show/n.yaml",
      "version: 1\nvars: {network: net.yaml}\nnodes:\n  photo: {type: Load, path: a.png}\n  in: {type: "
      "Preprocess, "
      "image: photo, network: $network}\n  back: {type: Postprocess, input: in, network: $network}\n  save: "
      "{type: "
      "Save, image: back, path: out/never.png}\n");
  CHECK(show.check("shot", "../show/n.yaml").code == 2);
  CHECK(show.check("shot", "../show/n.yaml --set network=net.yaml").code == 0);
  const Outcome resolved = run_in(show / "shot", "resolve ../show/n.yaml --set network=net.yaml");
  put(show, "show/resolved.yaml", resolved.out);
  CHECK(show.check("show", "resolved.yaml").code == 0);
}

TEST_CASE("what is written starts at the current folder") {
  const Show show;
  REQUIRE(run_in(show / "shot", "run ../show/look.yaml --log l.jsonl --trace t.json").code == 0);
  CHECK(fs::exists(show / "shot/out/never.png"));
  CHECK(fs::exists(show / "shot/l.jsonl"));
  CHECK(fs::exists(show / "shot/t.json"));
}
