// Full disks, limits, several runs at once, closed streams: what was made is kept, and what is said is true.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "tests/pipelines/program.h"

using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

std::string pipeline_text(const std::string& saves, int iterations = 40, const std::string& top = "") {
  return fmt::format(
      "version: 1\n{}include: {}/configs/subgraphs/restyle.yaml\nnodes:\n"
      "  photo: {{type: Noise, size: [64, 48], seed: 1}}\n"
      "  style: {{type: Noise, size: [48, 48], seed: 2, kind: bell}}\n"
      "  look: {{type: restyle, content: photo, style: style, iterations: {}}}\n{}",
      top, GRAMFLOW_SOURCE_DIR, iterations, saves);
}

const std::string one_save = "  save: {type: Save, image: look, path: out/r.png}\n";

/// A small disk that is full; needs root, and is not there otherwise.
class FullDisk {
 public:
  explicit FullDisk(const std::string& path) : path_(path) {
    fs::create_directories(path);
    mounted_ = ::mount("gramflow-test", path.c_str(), "tmpfs", 0, "size=64k") == 0;
    if (!mounted_) return;
    std::ofstream file(path + "/filler", std::ios::binary);
    while (file.write("0123456789abcdef", 16)) {
    }
  }
  ~FullDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  bool there() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

std::string hidden_files(const TemporaryFolder& folder) {
  std::string found;
  for (const std::string& name : folder.names())
    if (fs::path(name).filename().string().starts_with('.')) found += name + " ";
  return found;
}

}  // namespace

TEST_CASE(
    "previews, log, trace, sidecars and checkpoints on a full disk are warnings; the picture is as without "
    "them") {
  const TemporaryFolder folder;
  const FullDisk disk(folder / "full");
  if (!disk.there()) return;
  const std::string preview = "  preview: {type: Save, image: look, path: full/p.png, every: 5}\n";
  put(folder, "p.yaml", pipeline_text(one_save + preview, 40, "checkpoint: {path: full/c, every: 3}\n"));
  const Outcome outcome = run_in(folder.path(), "run p.yaml --log full/l.jsonl --trace full/t.json");
  // The preview's Save writes at the end, too, which is not a preview any more.
  CHECK(outcome.code == 1);
  CHECK(outcome.says("warning: a preview was not written: p.yaml"));
  CHECK(outcome.says("warning: no checkpoint was written: full/c"));
  CHECK(outcome.says("warning: full/l.jsonl: the log could not be written"));
  CHECK(outcome.says("No space left on device"));
  put(folder, "q.yaml", pipeline_text(one_save));
  const std::string with = text_of(folder / "out/r.png");
  REQUIRE(run_in(folder.path(), "run q.yaml").code == 0);
  CHECK(text_of(folder / "out/r.png") == with);
  CHECK(hidden_files(folder) == "");
}

TEST_CASE("a final picture that cannot be written is put into TMPDIR, named, and the run fails") {
  const TemporaryFolder folder;
  const FullDisk disk(folder / "full");
  if (!disk.there()) return;
  put(folder, "p.yaml",
      pipeline_text("  a: {type: Save, image: look, path: full/a.png}\n  b: {type: Save, image: look, path: "
                    "out/b.png}\n"));
  fs::create_directories(folder / "elsewhere");
  const Outcome outcome = run_in(folder.path(), "run p.yaml", "TMPDIR=" + quoted(folder / "elsewhere"));
  CHECK(outcome.code == 1);
  CHECK(outcome.says("the picture is in " + (folder / "elsewhere/gramflow-")));
  CHECK(fs::exists(folder / "out/b.png"));  // the others are not lost for it
  int rescued = 0;
  for (const std::string& name : folder.names()) rescued += name.starts_with("elsewhere/gramflow-") ? 1 : 0;
  CHECK(rescued == 1);
}

TEST_CASE("a limit on file sizes is an error of writing, not an end") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(one_save, 40, "checkpoint: {path: c, every: 3}\n"));
  const Outcome small = run_in(folder.path(), "run p.yaml", "TMPDIR=/nowhere; export TMPDIR; ulimit -f 4;");
  CHECK(small.code == 1);
  CHECK(small.says("File too large"));
  CHECK_FALSE(fs::exists(folder / "out/r.png"));
  CHECK(hidden_files(folder) == "");
  const Outcome enough =
      run_in(folder.path(), "run p.yaml", "ulimit -f 40;");  // for the picture, not for checkpoints
  CHECK(enough.code == 0);
  CHECK(enough.says("warning: no checkpoint was written"));
}

TEST_CASE("address-space limits end in seconds, with words") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(one_save, 3));
  for (int kibibytes = 70'000; kibibytes < 200'000; kibibytes += 10'000) {
    CAPTURE(kibibytes);
    const Outcome outcome =
        run_in(folder.path(), "run p.yaml --threads 4", fmt::format("ulimit -v {}; timeout 20", kibibytes));
    const bool known = outcome.code == 0 || outcome.code == 3 || outcome.code == 1;
    CHECK(known);
    CHECK_FALSE(outcome.says("bad_alloc"));
    CHECK_FALSE(outcome.says("damaged"));
  }
}

TEST_CASE("what does not fit into memory is refused with the figure, before anything is touched") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(one_save, 3));
  const std::string large = "run p.yaml --set nodes.photo.size=[60000,60000] --set nodes.style.size=64";
  const Outcome refused = run_in(folder.path(), large);
  CHECK(refused.code == 3);
  CHECK(refused.says("of memory are needed"));
  CHECK(refused.says("A smaller 'size' needs less"));
  CHECK_FALSE(fs::exists(folder / "out"));
  const Outcome limited =
      run_in(folder.path(), "run p.yaml --set nodes.photo.size=[1200,1200]", "ulimit -v 400000;");
  CHECK(limited.code == 3);
  CHECK(limited.says("left by the limit on address space"));
}

TEST_CASE("a cgroup's limit is seen before the run") {
  const std::string group = "/sys/fs/cgroup/memory/gramflow-test-" + std::to_string(::getpid());
  std::error_code failed;
  if (!fs::create_directory(group, failed)) return;  // no such groups, or not ours
  std::ofstream(group + "/memory.limit_in_bytes") << (64 << 20);
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(one_save, 3));
  const std::string inside = "echo $$ > " + group + "/tasks;";
  const Outcome refused = run_in(folder.path(), "run p.yaml --set nodes.photo.size=[900,900]", inside);
  CHECK(refused.code == 3);
  CHECK(refused.says("left by the memory limit of this cgroup"));
  CHECK(run_in(folder.path(), "run p.yaml --set nodes.photo.size=[48,48]", inside).code == 0);
  fs::remove(group, failed);
}

TEST_CASE("a stop is heard without an optimiser, too: 130, and nothing is overwritten") {
  const TemporaryFolder folder;
  std::string yaml = "version: 1\nnodes:\n  a0: {type: Noise, size: [2500, 2500]}\n";
  for (int i = 1; i <= 12; ++i)
    yaml += fmt::format("  a{}: {{type: Resize, image: a{}, size: [{}, 2500]}}\n", i, i - 1, 2500 - i);
  put(folder, "p.yaml", yaml + "  save: {type: Save, image: a12, path: r.png}\n");
  put(folder, "r.png", "older work");
  const Outcome stopped = run_in(folder.path(), "run p.yaml", "timeout -s TERM 0.4");
  CHECK(stopped.code == 124);  // what timeout says of it
  CHECK(text_of(folder / "r.png") == "older work");
  CHECK(stopped.says("stopping"));
}

TEST_CASE("four runs at once onto one output: one works, three say who is at work") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(one_save, 1500));
  std::vector<Outcome> outcomes(4);
  {
    std::vector<std::jthread> threads;
    for (Outcome& outcome : outcomes)
      threads.emplace_back([&] { outcome = run_in(folder.path(), "run p.yaml --quiet --threads 1"); });
  }
  int worked = 0, told = 0;
  for (const Outcome& outcome : outcomes) {
    worked += outcome.code == 0 ? 1 : 0;
    told +=
        outcome.code == 3 && outcome.says("another run is at work on it: process ") && outcome.says("p.yaml")
            ? 1
            : 0;
  }
  CHECK(worked == 1);
  CHECK(told == 3);
  CHECK(hidden_files(folder) == "");
}

TEST_CASE("nothing that is read, and nothing that is no file, is written") {
  const TemporaryFolder folder;
  put_picture(folder, "photo.pgm", 32, 32);
  put(folder, "inc.yaml", "version: 1\nvars: {x: 1}\n");
  put(folder, "p.yaml",
      "version: 1\nvars: {out: out.png}\nnodes:\n  photo: {type: Load, path: photo.pgm}\n"
      "  save: {type: Save, image: photo, path: $out}\n");
  fs::create_symlink("p.yaml", folder / "link.jsonl");
  fs::create_symlink("photo.pgm", folder / "link.png");
  REQUIRE(std::system(("mkfifo " + quoted(folder / "pipe.png")).c_str()) == 0);
  const std::string before = text_of(folder / "p.yaml"), photo = text_of(folder / "photo.pgm");
  for (const std::string arguments :
       {"--log p.yaml", "--log link.jsonl", "--log photo.pgm", "--trace ./p.yaml", "--log out.png",
        "--log /dev/null", "--log x --trace x", "--trace .", "--set out=link.png", "--set out=pipe.png",
        "--log pipe.png"}) {
    CAPTURE(arguments);
    CHECK(run_in(folder.path(), "run p.yaml " + arguments, "timeout 20").code == 2);
    CHECK(text_of(folder / "p.yaml") == before);
    CHECK(text_of(folder / "photo.pgm") == photo);
  }
  CHECK(run_in(folder.path(), "run p.yaml --log l.jsonl --trace t.json").code == 0);
}

TEST_CASE("numbers in a name may lead to a file that is read") {
  const TemporaryFolder folder;
  put_picture(folder, "shot-00005.png", 32, 32);
  put(folder, "p.yaml",
      "version: 1\nnodes:\n  photo: {type: Load, path: shot-00005.png}\n"
      "  save: {type: Save, image: photo, path: \"shot-{iteration}.png\"}\n");
  CHECK(run_in(folder.path(), "run p.yaml").code == 2);
}

TEST_CASE("closed streams do not leak into files, and a full standard output is noticed") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(one_save, 3));
  REQUIRE(run_in(folder.path(), "run p.yaml").code == 0);
  const std::string picture = text_of(folder / "out/r.png");
  REQUIRE(std::system(("cd " + quoted(folder.path()) + " && " + quoted(program_path()) +
                       " run p.yaml --log l.jsonl <&- >&- 2>&-")
                          .c_str()) == 0);
  CHECK(text_of(folder / "out/r.png") == picture);
  CHECK(text_of(folder / "l.jsonl").starts_with("{\"event\":\"start\""));
  const int status = std::system(
      ("cd " + quoted(folder.path()) + " && " + quoted(program_path()) + " resolve p.yaml >/dev/full 2>said")
          .c_str());
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(text_of(folder / "said").find("No space left on device") != std::string::npos);
}

TEST_CASE("temporaries of a process that was killed are gone after the next run") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(one_save, 3));
  put(folder, "out/.r.png.gramflow-999999999-0.part", "half");
  put(folder, "out/.other.png.gramflow-lock", "process 999999999");
  put(folder, "out/.mine.part", "mine");
  REQUIRE(run_in(folder.path(), "run p.yaml").code == 0);
  CHECK(hidden_files(folder) == "out/.mine.part ");
}
