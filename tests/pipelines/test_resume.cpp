// Runs that are killed, stopped and taken up again, through the program.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "tests/pipelines/program.h"

using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

/// Two optimisers in a schedule, with previews and a picture after each.
std::string pipeline_text(int iterations = 60,
                          const std::string& checkpoint = "{path: run.checkpoint, every: 3}") {
  return fmt::format(R"(version: 1
include: {}/configs/subgraphs/restyle.yaml
checkpoint: {}
vars: {{iterations: {}, size: 40}}
nodes:
  photo:  {{type: Noise, size: [64, 48], seed: 1}}
  small:  {{type: Resize, image: photo, size: $size}}
  style:  {{type: Noise, size: [48, 48], seed: 2, kind: bell}}
  first:  {{type: restyle, content: small, style: style, iterations: $iterations}}
  second: {{type: restyle, content: first, style: style, iterations: 20}}
  s1: {{type: Save, image: first, path: "out/first.png", every: 7}}
  s2: {{type: Save, image: second, path: "out/second.png"}}
  s3: {{type: Save, image: first, path: "out/frame-{{stage}}-{{iteration}}.png", every: 10}}
schedule:
  - {{set: {{size: 32}}}}
  - {{set: {{size: 48, nodes.second/result.method: lbfgs, nodes.second/result.iterations: 12}}}}
)",
                     GRAMFLOW_SOURCE_DIR, checkpoint, iterations);
}

/// The program, started and not waited for.
class Running {
 public:
  Running(const std::string& folder, const std::vector<std::string>& arguments) {
    std::vector<std::string> words = {program_path()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    process_ = ::fork();
    if (process_ != 0) return;
    if (::chdir(folder.c_str()) != 0) ::_exit(99);
    const int log = ::open("said.txt", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::execv(pointers[0], pointers.data());
    ::_exit(98);
  }
  ~Running() {
    if (process_ > 0) signal(SIGKILL), wait();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  void signal(int number) const { ::kill(process_, number); }
  /// The exit code, or 128 and the signal.
  int wait() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  bool ended_within(std::chrono::milliseconds time, int& code) {
    const auto end = std::chrono::steady_clock::now() + time;
    int status = 0;
    while (std::chrono::steady_clock::now() < end) {
      if (::waitpid(process_, &status, WNOHANG) == process_) {
        process_ = -1;
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

 private:
  ::pid_t process_ = -1;
};

bool wait_for(const std::string& path, int seconds = 60) {
  for (int i = 0; i < seconds * 100 && !fs::exists(path); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return fs::exists(path);
}

/// Names and contents of all that a run leaves, but what was printed.
std::vector<std::string> left_in(const TemporaryFolder& folder) {
  std::vector<std::string> result;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    const std::string name = fs::path(entry.path()).lexically_relative(folder.path()).string();
    if (entry.is_regular_file() && name != "said.txt")
      result.push_back(name + "\n" + text_of(entry.path().string()));
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> names_in(const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const std::string& text : left_in(folder)) names.push_back(text.substr(0, text.find('\n')));
  return names;
}

}  // namespace

TEST_CASE("killed at random moments again and again: the same files to the bit, and nothing else") {
  const char* wanted = std::getenv("GRAMFLOW_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 12;
  const TemporaryFolder whole;
  put(whole, "p.yaml", pipeline_text());
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(run_in(whole.path(), "run p.yaml --quiet").code == 0);
  const auto length =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  const std::vector<std::string> expected = left_in(whole);
  std::mt19937 random(static_cast<unsigned>(kills));
  int killed = 0, runs = 0;
  while (killed < kills) {
    const TemporaryFolder folder;
    put(folder, "p.yaml", pipeline_text());
    int code = -1;
    for (;;) {
      Running running(folder.path(), {"run", "p.yaml", "--quiet", "--resume", "--threads",
                                      std::to_string(random() % 3 + 1)});
      const auto moment = std::chrono::milliseconds(random() % static_cast<unsigned>(length.count() + 1));
      if (killed >= kills || running.ended_within(moment, code)) {
        if (code < 0) code = running.wait();
        break;
      }
      running.signal(SIGKILL);
      running.wait();
      ++killed;
    }
    CAPTURE(killed);
    REQUIRE(code == 0);
    REQUIRE(left_in(folder) == expected);
    ++runs;
  }
  MESSAGE("killed " << killed << " times in " << runs << " runs");
}

TEST_CASE(
    "INT, TERM and HUP stop a run with 130, a checkpoint and the picture so far; --resume ends it with the "
    "same bits") {
  const TemporaryFolder whole;
  put(whole, "p.yaml", pipeline_text(200));
  REQUIRE(run_in(whole.path(), "run p.yaml --quiet").code == 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    const TemporaryFolder folder;
    put(folder, "p.yaml", pipeline_text(200));
    Running running(folder.path(), {"run", "p.yaml"});
    REQUIRE(wait_for(folder / "run.checkpoint"));
    running.signal(signal);
    running.signal(signal);  // as timeouts and closing terminals do: to the process and to its group
    CHECK(running.wait() == 130);
    CHECK(fs::exists(folder / "run.checkpoint"));
    CHECK(fs::exists(folder / "out/first.png"));
    CHECK(text_of(folder / "out/first.png.gramflow.yaml").find("# the run was interrupted") !=
          std::string::npos);
    const Outcome resumed = run_in(folder.path(), "run p.yaml --resume");
    CHECK(resumed.code == 0);
    CHECK(resumed.says("going on from run.checkpoint"));
    CHECK_FALSE(fs::exists(folder / "run.checkpoint"));
    // The picture of the stop, frame-1-00012.png for example, stays.
    const std::vector<std::string> made = left_in(folder);
    for (const std::string& file : left_in(whole))
      CHECK(std::find(made.begin(), made.end(), file) != made.end());
  }
}

TEST_CASE("--resume without a checkpoint says so and starts; with two damaged ones, too") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(3));
  const Outcome fresh = run_in(folder.path(), "run p.yaml --resume");
  CHECK(fresh.code == 0);
  CHECK(fresh.says("there is no checkpoint run.checkpoint; starting from the beginning"));
  put(folder, "run.checkpoint", "gramflow checkpoint 1\ncut off");
  const Outcome damaged = run_in(folder.path(), "run p.yaml --resume");
  CHECK(damaged.code == 0);
  CHECK(damaged.says("warning: run.checkpoint: this checkpoint cannot be used: it ends in the middle"));
  CHECK_FALSE(fs::exists(folder / "run.checkpoint"));
}

namespace {

/// A folder with a checkpoint of a run that was stopped in its first stage.
void stop_early(const TemporaryFolder& folder) {
  put(folder, "p.yaml", pipeline_text(400));
  Running running(folder.path(), {"run", "p.yaml"});
  REQUIRE(wait_for(folder / "run.checkpoint"));
  running.signal(SIGTERM);
  REQUIRE(running.wait() == 130);
}

}  // namespace

TEST_CASE("what changed is listed: harmless changes go on, others refuse, --accept-changes insists") {
  const TemporaryFolder folder;
  stop_early(folder);
  const auto copy = [&] {
    fs::copy_file(folder / "run.checkpoint", folder / "kept", fs::copy_options::overwrite_existing);
  };
  copy();
  const std::string resume = "run p.yaml --resume=kept --set iterations=100000 ";
  const Outcome refused = run_in(folder.path(), "run p.yaml --resume --set nodes.first/style_loss.weight=5");
  CHECK(refused.code == 2);
  CHECK(refused.says("nodes.first/style_loss.weight: 5, was"));
  CHECK(refused.says("[changed-pipeline]"));
  CHECK(fs::exists(folder / "run.checkpoint"));
  const Outcome insisted = run_in(
      folder.path(),
      "run p.yaml --resume=kept --accept-changes --set nodes.first/style_loss.weight=5 --set iterations=401");
  CHECK(insisted.code == 0);
  CHECK(insisted.says("going on from kept"));
  const Outcome harmless =
      run_in(folder.path(),
             "run p.yaml --resume=kept --set nodes.s2.path=elsewhere/b.png --set iterations=405 "
             "--set nodes.second/result.iterations=3");
  CHECK(harmless.code == 0);
  CHECK(harmless.says("nodes.first/result.iterations: 405, was 400 (harmless)"));
  CHECK(fs::exists(folder / "elsewhere/b.png"));
  CHECK(fs::exists(folder / "kept"));  // only the run's own is removed

  const TemporaryFolder straight;
  put(straight, "p.yaml", pipeline_text(405));
  REQUIRE(
      run_in(straight.path(),
             "run p.yaml --quiet --set nodes.second/result.iterations=3 --set nodes.s2.path=elsewhere/b.png")
          .code == 0);
  CHECK(text_of(straight / "elsewhere/b.png") == text_of(folder / "elsewhere/b.png"));
  CHECK(text_of(straight / "out/first.png") == text_of(folder / "out/first.png"));
}

TEST_CASE("fewer iterations than were made, other pictures and other weights are no harmless changes") {
  const TemporaryFolder folder;
  put_picture(folder, "photo.pgm", 40, 32);
  const std::string yaml =
      "version: 1\ncheckpoint: {path: c, every: 1}\nnodes:\n  photo: {type: Load, path: photo.pgm}\n"
      "  tv: {type: TVLoss, input: result.canvas}\n"
      "  result: {type: Optimizer, start: photo, loss: tv, iterations: 100000}\n"
      "  save: {type: Save, image: result, path: out.png}\n";
  put(folder, "p.yaml", yaml);
  {
    Running running(folder.path(), {"run", "p.yaml"});
    REQUIRE(wait_for(folder / "c"));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    running.signal(SIGTERM);
    REQUIRE(running.wait() == 130);
  }
  CHECK(run_in(folder.path(), "run p.yaml --resume --set nodes.result.iterations=1").code == 2);
  fs::rename(folder / "photo.pgm", folder / "moved.pgm");
  const std::string few = " --set nodes.result.iterations=100001";
  put(folder, "moved.yaml", yaml);
  put_picture(folder, "photo.pgm", 40, 32);
  std::string other = text_of(folder / "photo.pgm");
  other.back() = 'x';
  put(folder, "photo.pgm", other);
  const Outcome changed = run_in(folder.path(), "run p.yaml --resume" + few);
  CHECK(changed.code == 2);
  CHECK(changed.says("nodes.photo.path: the file has other contents"));
  // The same picture under another name is the same pipeline.
  {
    Running running(folder.path(), {"run", "p.yaml", "--resume", "--set", "nodes.photo.path=moved.pgm"});
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    running.signal(SIGTERM);
    CHECK(running.wait() == 130);
    CHECK(text_of(folder / "said.txt").find("going on from c") != std::string::npos);
  }
}

TEST_CASE("a place that holds something else is never overwritten") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(3));
  put(folder, "run.checkpoint", "my own notes");
  const Outcome asked = run_in(folder.path(), "run p.yaml");
  CHECK(asked.code == 2);
  CHECK(text_of(folder / "run.checkpoint") == "my own notes");
  put(folder, "p.yaml", pipeline_text(3, "null"));
  put(folder, "out/first.png.gramflow-checkpoint", "mine");
  const Outcome by_itself = run_in(folder.path(), "run p.yaml");
  CHECK(by_itself.code == 0);
  CHECK(by_itself.says("no checkpoint will be written"));
  CHECK(text_of(folder / "out/first.png.gramflow-checkpoint") == "mine");
}

TEST_CASE("a short run leaves no checkpoint, and a stop without an iteration overwrites nothing") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", pipeline_text(100000, "null"));
  put(folder, "out/second.png", "older work");
  Running running(folder.path(), {"run", "p.yaml"});
  REQUIRE(wait_for(folder / "out/first.png"));
  running.signal(SIGTERM);
  CHECK(running.wait() == 130);
  CHECK(text_of(folder / "out/second.png") == "older work");
  for (const std::string& name : names_in(folder)) CHECK(name.find("checkpoint") == std::string::npos);
}
