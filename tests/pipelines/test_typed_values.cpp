// What stands behind `--set key=` is what is meant: text where a text is taken, YAML where a number, list or
// map is.
#include <doctest/doctest.h>

#include "tests/pipelines/program.h"

using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

/// Five ways of a picture's name into a Load.
const std::string pipeline =
    "version: 1\n"
    "vars: {picture: plain.png, size: 16}\n"
    "subgraphs:\n"
    "  s: {parameters: {file: plain.png}, outputs: {image: p}, nodes: {p: {type: Load, path: $file}}}\n"
    "nodes:\n"
    "  a: {type: Load, path: $picture, size: $size}\n"
    "  b: {type: Load, path: plain.png}\n"
    "  c: {type: s}\n"
    "  save: {type: Save, image: a, path: out/a.png}\n"
    "  save_b: {type: Save, image: b, path: out/b.png}\n"
    "  save_c: {type: Save, image: c, path: out/c.png}\n";

class Work : public TemporaryFolder {
 public:
  Work() {
    put(*this, "p.yaml", pipeline);
    put_picture(*this, "plain.png", 20, 10);
  }
  Outcome check(const std::string& setting) const {
    return run_in(path(), "check p.yaml --set " + quoted(setting));
  }
};

}  // namespace

TEST_CASE("a text is taken letter by letter") {
  const Work work;
  const std::vector<std::string> names = {"take #2.png", " #2.png",
                                          "#2.png",      "[1].jpg",
                                          "[1, 2]",      "a: b",
                                          "\"q\"",       "'q'",
                                          " lead",       "trail ",
                                          "-x.png",      "- x.png",
                                          "+1",          "12",
                                          "1e3",         "true",
                                          "{a}",         "{a: 1}",
                                          "*x",          "&y",
                                          "!z",          "%p",
                                          "@q",          "`r`",
                                          "it's",        "a, b",
                                          "null.png",    "? x",
                                          "| x",         "> x",
                                          "a:",          ": a",
                                          "[",           "{",
                                          "\"",          "null x",
                                          "x\ty.png",    "caf\xc3\xa9.png",
                                          ".5",          "=x",
                                          "a=b",         "a\\b",
                                          "\\x41"};
  for (const std::string& name : names) {
    CAPTURE(name);
    put_picture(work, name, 44, 33);
    for (const std::string key : {"nodes.b.path=", "nodes.c.file=", "nodes.c/p.path="}) {
      const Outcome outcome = work.check(key + name);
      CAPTURE(outcome.err);
      CHECK(outcome.code == 0);
      CHECK(outcome.says("44x33"));
    }
    CHECK(run_in(work.path(), "check p.yaml --set size= --set " + quoted("picture=" + name)).says("44x33"));
    // The canonical pipeline says it in YAML's way.
    put(work, "r.yaml", run_in(work.path(), "resolve p.yaml --set " + quoted("nodes.b.path=" + name)).out);
    CHECK(run_in(work.path(), "check r.yaml").says("44x33"));
  }
}

TEST_CASE("a typed text keeps its letters inside of a longer one, and through other variables") {
  const Work work;
  put(work, "t.yaml",
      "version: 1\nvars: {name: x, full: \"in ${name}.png\"}\nnodes:\n  a: {type: Load, path: $full}\n  "
      "save: "
      "{type: Save, image: a, path: out/t.png}\n");
  for (const std::string name : {" #2", "[1]", "\"q\"", "a: b", "12"}) {
    CAPTURE(name);
    put_picture(work, "in " + name + ".png", 44, 33);
    CHECK(run_in(work.path(), "check t.yaml --set " + quoted("name=" + name)).says("44x33"));
  }
}

TEST_CASE("dollars are references in typed texts, two are one") {
  const Work work;
  put_picture(work, "$5.png", 44, 33);
  put_picture(work, " plain.png", 48, 36);
  CHECK(work.check("nodes.b.path=$$5.png").says("44x33"));
  CHECK(work.check("nodes.b.path=$picture").says("20x10"));
  CHECK(work.check("nodes.b.path= ${picture}").says("48x36"));
  CHECK(work.check("nodes.b.path=${env:HOME}/nowhere.png").code == 3);
  CHECK(work.check("nodes.b.path=#${nobody}.png").code == 2);
}

TEST_CASE("numbers, lists and maps are YAML, and say what is wrong with it") {
  const Work work;
  CHECK(work.check("size=8 # small").says("8x4"));
  CHECK(work.check("size=[12, 5]").says("12x5"));
  CHECK(work.check("size=[12, 5").says("never closed"));
  CHECK(work.check("size=\"8\"").code == 2);
  CHECK(run_in(work.path(), "check p.yaml --set 'nodes.b=[3'").code == 2);
}

TEST_CASE("one variable is read by each parameter in its own way") {
  const Work work;
  put(work, "v.yaml",
      "version: 1\nvars: {x: 7}\nnodes:\n  a: {type: Load, path: $x, size: $x}\n  save: {type: Save, image: "
      "a, path: "
      "out/v.png}\n");
  put_picture(work, "12", 44, 33);
  CHECK(run_in(work.path(), "check v.yaml --set x=12").says("12x9"));
}

TEST_CASE("null, and nothing behind the '=' or ':', unset what is optional") {
  const Work work;
  for (const std::string nothing : {"", "null"}) {
    CAPTURE(nothing);
    CHECK(work.check("size=" + nothing).says("20x10"));
    CHECK(work.check("nodes.a.size=" + nothing).says("20x10"));
    CHECK(work.check("nodes.save.quality=" + nothing).code == 0);
    CHECK(work.check("nodes.a.filter=" + nothing).code == 0);
    CHECK(work.check("nodes.c.file=" + nothing).says("20x10"));  // the subgraph's default
    const Outcome required = work.check("picture=" + nothing);
    CHECK(required.code == 2);
    CHECK(required.says("has no value"));
  }
  put(work, "n.yaml",
      "version: 1\nnodes:\n  a: {type: Load, path: plain.png, size: , filter: null}\n  in: {type: "
      "Preprocess, image: "
      "a, network:}\n  back: {type: Postprocess, input: in, network: ~}\n  save: {type: Save, image: back, "
      "path: "
      "out/n.png, bits:}\n");
  const Outcome file = run_in(work.path(), "check n.yaml");
  CAPTURE(file.err);
  CHECK(file.code == 0);
  put_picture(work, "null", 44, 33);
  CHECK(work.check("nodes.b.path=./null").says("44x33"));
}

TEST_CASE("what is no path here is explained by every node alike") {
  const Work work;
  put(work, "e.yaml",
      "version: 1\nvars: {read: plain.png, write: out/e.png, network: vgg19-mini}\nnodes:\n  a: {type: Load, "
      "path: "
      "$read}\n  in: {type: Preprocess, image: a, network: $network}\n  f: {type: VGGExtract, input: in, "
      "network: "
      "$network}\n  back: {type: Postprocess, input: in}\n  save: {type: Save, image: back, path: $write}\n");
  for (const std::string what :
       {"~", "~/x.png", "~user/x.png", "-", "https://a.org/x.png", "file:///x.png", "s3://b/x"})
    for (const std::string key : {"read", "write", "network"}) {
      CAPTURE(key + "=" + what);
      const Outcome outcome = run_in(work.path(), "check e.yaml --set " + quoted(key + "=" + what));
      CHECK(outcome.code == 2);
      CHECK(outcome.says("[bad-path]"));
      put(work, "f.yaml", "version: 1\ninclude: e.yaml\nvars: {" + key + ": \"" + what + "\"}\nnodes: {}\n");
      CHECK(run_in(work.path(), "check f.yaml").says("[bad-path]"));
    }
}

TEST_CASE("a name with letters that nobody sees becomes no file") {
  const Work work;
  for (const std::string letter : {"\\0", "\\n", "\\x01", "\\e", "\\x7f"}) {
    CAPTURE(letter);
    put(work, "c.yaml",
        "version: 1\nnodes:\n  a: {type: Load, path: plain.png}\n  save: {type: Save, image: a, path: "
        "\"out/a" +
            letter + "b.png\"}\n");
    const Outcome outcome = run_in(work.path(), "run c.yaml");
    CHECK(outcome.code == 2);
    CHECK(outcome.says("[bad-path]"));
  }
  CHECK_FALSE(fs::exists(work / "out"));
  put(work, "d.yaml",
      "version: 1\nnodes:\n  a: {type: Load, path: \"plain.png\\0.jpg\"}\n  save: {type: Save, image: a, "
      "path: "
      "out/a.png}\n");
  CHECK(run_in(work.path(), "check d.yaml").says("[bad-path]"));
}

TEST_CASE("a --set that changes nothing is told") {
  const Work work;
  put(work, "u.yaml",
      "version: 1\ninclude: p.yaml\nvars: {unread: 1, deep: 1}\nnodes:\n  d: {type: Noise, size: 8, seed: "
      "$deep}\n  "
      "save_d: {type: Save, image: d, path: out/d.png}\n");
  const auto warns = [&](const std::string& settings) {
    const Outcome outcome = run_in(work.path(), "check u.yaml " + settings);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 0);
    return outcome.says("[unused-setting]");
  };
  CHECK(warns("--set unread=2"));
  CHECK(warns("--set size=8 --set size=9"));
  CHECK(warns("--set nodes.d.seed=8 --set nodes.d.seed=9"));
  CHECK(warns("--set deep=2 --set nodes.d.seed=9"));
  CHECK_FALSE(warns("--set deep=2 --set nodes.d.mean=0.5"));
  CHECK_FALSE(warns("--set size=8 --set picture=plain.png"));
  CHECK_FALSE(warns("--set nodes.save.path=out/\\${deep}.png --set deep=3"));
}

TEST_CASE("a forgotten --set is told with a key that the file has") {
  const Work work;
  put(work, "v.yaml",
      "version: 1\nvars: {content: plain.png, size: 8}\nnodes:\n  a: {type: Load, path: $content, size: "
      "$size}\n  "
      "save: {type: Save, image: a, path: out/v.png}\n");
  CHECK(run_in(work.path(), "check v.yaml size=9").says("did you mean '--set size=9'?"));
  CHECK(run_in(work.path(), "check v.yaml contnt=plain.png").says("did you mean '--set content=plain.png'?"));
  CHECK(run_in(work.path(), "check v.yaml colour=1").says("--set can set content and size"));
  CHECK(run_in(work.path(), "check v.yaml colour=1").code == 2);
}

TEST_CASE("check shows a typed text as it is taken") {
  const Work work;
  put_picture(work, "take #2.png", 8, 8);
  CHECK(work.check("picture=take #2.png").says("take #2.png"));
  put_picture(work, "a: b", 8, 8);
  CHECK(work.check("picture=a: b").says("\"a: b\""));
}
