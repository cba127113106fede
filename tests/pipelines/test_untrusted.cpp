// Pipelines of strangers, and files that are none.
#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/pipelines/program.h"

using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

struct Stranger : TemporaryFolder {
  Stranger() {
    put_picture(*this, "their/a.pgm", 20, 16);
    put_picture(*this, "mine/secret.pgm", 20, 16);
    put(*this, "mine/parts.yaml", "version: 1\nvars: {x: 1}\n");
    fs::create_symlink("../mine/secret.pgm", *this / "their/link.pgm");
    fs::create_symlink("../mine", *this / "their/folder");
  }
  Outcome run(const std::string& load, const std::string& save = "r.png", const std::string& top = "",
              const std::string& options = "--untrusted") const {
    put(*this, "their/p.yaml",
        "version: 1\n" + top + "nodes:\n  a: {type: Load, path: \"" + load +
            "\"}\n  s: {type: Save, image: a, path: \"" + save + "\"}\n");
    return run_in(*this / "their", "run p.yaml " + options, "HIDDEN=a.pgm timeout 20");
  }
};

}  // namespace

TEST_CASE("--untrusted: files of the pipeline's own folder, and nothing else") {
  const Stranger stranger;
  CHECK(stranger.run("a.pgm").code == 0);
  CHECK(stranger.run("./a.pgm", "sub/r.png").code == 0);
  for (const std::string& path :
       {stranger / "their/a.pgm", std::string("../mine/secret.pgm"), std::string("link.pgm"),
        std::string("folder/secret.pgm"), std::string("x/../a.pgm"), std::string("${env:HIDDEN}")}) {
    CAPTURE(path);
    const Outcome outcome = stranger.run(path);
    CHECK(outcome.code == 2);
    CHECK(outcome.says("[untrusted]"));
  }
  for (const std::string& path :
       {std::string("/tmp/r.png"), std::string("../r.png"), std::string("folder/r.png")}) {
    CAPTURE(path);
    CHECK(stranger.run("a.pgm", path).code == 2);
  }
  for (const std::string top :
       {"include: ../mine/parts.yaml\n", "include: folder/parts.yaml\n", "checkpoint: {path: /tmp/c}\n"}) {
    CAPTURE(top);
    CHECK(stranger.run("a.pgm", "r.png", top).code == 2);
  }
  CHECK(stranger.run("../mine/secret.pgm", "r.png", "", "").code ==
        0);  // without the option all is as it was
  CHECK(stranger.run("${env:HIDDEN}", "r.png", "", "").code == 0);
  // What the user types is the user's.
  CHECK(stranger.run("a.pgm", "r.png", "", "--untrusted --set nodes.a.path=../mine/secret.pgm").code == 0);
}

TEST_CASE("nothing is shown of files that are no pipelines and no networks") {
  const TemporaryFolder folder;
  const std::string secret = "root:x-secret-x:19000\nkey: [x-secret-x]\n";
  put(folder, "shadow", secret);
  put(folder, "compose.yaml", "version: \"3\"\nservices: {x-secret-x: 1}\n");
  for (const std::string file : {"shadow", "compose.yaml"}) {
    put(folder, "p.yaml",
        "version: 1\ninclude: " + file +
            "\nnodes:\n  a: {type: Noise, size: 64}\n  s: {type: Save, image: a, path: r.png}\n");
    const Outcome included = run_in(folder.path(), "check p.yaml");
    CHECK(included.code == 2);
    CHECK_FALSE(included.says("x-secret-x"));
    CHECK_FALSE(run_in(folder.path(), "check p.yaml --diagnostics=json").says("x-secret-x"));
    put(folder, "p.yaml",
        "version: 1\nnodes:\n  a: {type: Noise, size: 64}\n  p: {type: Preprocess, image: a, network: ./" +
            file + "}\n  q: {type: Postprocess, input: p, network: ./" + file +
            "}\n  s: {type: Save, image: q, path: r.png}\n");
    const Outcome network = run_in(folder.path(), "check p.yaml");
    CHECK(network.code == 2);
    CHECK_FALSE(network.says("x-secret-x"));
  }
}

TEST_CASE("devices, pipes and files of the system are refused at once, wherever a file is read") {
  const TemporaryFolder folder;
  REQUIRE(std::system(("mkfifo " + quoted(folder / "pipe")).c_str()) == 0);
  for (const std::string& path : {std::string("/dev/zero"), std::string("/proc/kmsg"), folder / "pipe"}) {
    CAPTURE(path);
    const auto refused = [&](const std::string& arguments) {
      const Outcome outcome = run_in(folder.path(), arguments, "timeout 10");
      return outcome.code >= 1 && outcome.code <= 3;
    };
    CHECK(refused("check " + path));
    put(folder, "i.yaml", "version: 1\ninclude: " + path + "\nnodes:\n  a: {type: Noise, size: 8}\n");
    CHECK(refused("check i.yaml"));
    put(folder, "l.yaml",
        "version: 1\nnodes:\n  a: {type: Load, path: " + path +
            "}\n  s: {type: Save, image: a, path: r.png}\n");
    CHECK(refused("run l.yaml"));
    put(folder, "n.yaml",
        "version: 1\nnodes:\n  a: {type: Noise, size: 64}\n  p: {type: Preprocess, image: a, network: " +
            path + "}\n  q: {type: Postprocess, input: p}\n  s: {type: Save, image: q, path: r.png}\n");
    CHECK(refused("run n.yaml"));
    CHECK(refused("weights import " + path + " -o w.safetensors"));
    CHECK(refused("weights info " + path));
    CHECK(refused("explain " + path));
    put(folder, "p.yaml",
        "version: 1\nnodes:\n  a: {type: Noise, size: 8}\n  s: {type: Save, image: a, path: r.png}\n");
    CHECK(run_in(folder.path(), "run p.yaml --resume=" + path, "timeout 10").code == 0);
  }
}

TEST_CASE("terminal escapes in names and values are shown, not sent") {
  const TemporaryFolder folder;
  const std::string escape = "\x1b]0;x\x07";
  put(folder, "p" + escape + ".yaml", "version: 1\nnodes:\n  a: {type: Nois, size: 8}\n");
  put_picture(folder, escape + ".pgm", 16, 16);
  for (const std::string& arguments :
       {"check 'p" + escape + ".yaml'", "run 'p" + escape + ".yaml'", "run '" + escape + "'",
        "'" + escape + "'", "check p --set '" + escape + "=1'", "weights info '" + escape + ".pgm'",
        "explain '" + escape + ".pgm'", "weights import '" + escape + ".pgm' -o x.safetensors",
        "weights get '" + escape + "'", "nodes '" + escape + "'"}) {
    CAPTURE(arguments);
    const Outcome outcome = run_in(folder.path(), arguments);
    CHECK(outcome.code != 0);
    CHECK_FALSE(outcome.says("\x1b"));
  }
}
