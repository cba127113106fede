// A Session in the hands of its caller: memory from outside, stopping in the middle, going on.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::string transfer(const std::string& method) {
  std::string yaml = small_transfer(method, 40, 32);
  yaml.resize(yaml.find("  save:"));
  return yaml;
}

struct Driven {
  std::unique_ptr<CompiledStage> stage;
  ThreadScope threads;
  explicit Driven(const std::string& yaml, int workers = 2)
      : stage(std::move(compiled(yaml, test_nodes(shipped_library()), workers).front())), threads(workers) {}
  template <class Use>
  void use(const SessionOptions& options, Use what) {
    threads.execute([&] {
      Session session(*stage, options);
      what(session);
    });
  }
};

std::vector<float> floats(TensorView view) { return {view.floats().begin(), view.floats().end()}; }

}  // namespace

TEST_CASE("canvas, gradient and state lie in memory that the caller brings") {
  Driven driven(transfer("method: lbfgs, iterations: 3"));
  std::vector<std::vector<float>> memory;
  SessionOptions options;
  for (const Plan::External& external : driven.stage->plan.externals) {
    memory.emplace_back(external.bytes / sizeof(float) + 16);
    const auto address = reinterpret_cast<std::uintptr_t>(memory.back().data());
    options.externals.push_back(reinterpret_cast<void*>((address + 63) / 64 * 64));
  }
  std::vector<float> theirs, own;
  driven.use(options, [&](Session& session) {
    session.begin();
    CHECK(session.canvas().data == options.externals[0]);
    while (session.running()) session.step();
    theirs = floats(session.canvas());
  });
  driven.use({}, [&](Session& session) {
    session.begin();
    while (session.running()) session.step();
    own = floats(session.canvas());
  });
  CHECK(theirs == own);
}

TEST_CASE("a stop request is heard in every operation, and leaves the canvas where the step began") {
  for (const char* method :
       {"method: adam, iterations: 3", "method: lbfgs, iterations: 3, learning_rate: 50"}) {
    Driven driven(transfer(method));
    std::vector<float> uninterrupted;
    driven.use({}, [&](Session& session) {
      session.begin();
      while (session.running()) session.step();
      uninterrupted = floats(session.canvas());
    });
    std::atomic<bool> stop = false;
    driven.use({.executor = ExecutorKind::serial, .stop = &stop}, [&](Session& session) {
      session.begin();
      int countdown = 0, stops = 0;
      session.prepared().before_operation = [&](const Operation&) {
        if (countdown > 0 && --countdown == 0) stop = true;
      };
      for (int every = 1; session.running(); every += 7) {
        const std::vector<float> before = floats(session.canvas());
        countdown = every;
        try {
          session.step();
        } catch (const Interrupted&) {
          ++stops;
          CHECK(floats(session.canvas()) == before);
        }
        stop = false;
        countdown = 0;
      }
      CHECK(stops > 3);
      CHECK(floats(session.canvas()) == uninterrupted);  // and the loop can be gone on with
    });
  }
}

TEST_CASE("a stop request is heard while what comes before the loop runs") {
  Driven driven(transfer("method: adam, iterations: 3"));
  std::atomic<bool> stop = false;
  driven.use({.stop = &stop}, [&](Session& session) {
    int operations = 0;
    session.prepared().before_operation = [&](const Operation&) {
      if (++operations == 3) stop = true;
    };
    CHECK_THROWS_AS(session.begin(), Interrupted);
    CHECK(session.loop() == -1);
    stop = false;
    session.prepared().before_operation = nullptr;
    CHECK(session.begin());
  });
}

TEST_CASE("observers hear of the end of every run: finished, interrupted, failed") {
  class Ends final : public Observer {
   public:
    void end(const RunEnd& end) override { ends.push_back(end); }
    std::vector<RunEnd> ends;
  };
  const NodeTypes types = test_nodes(shipped_library());
  Ends ends;
  run(transfer("method: adam, iterations: 1"), types, {.observers = {&ends}});
  std::atomic<bool> stop = true;
  CHECK_THROWS_AS(run(transfer("method: adam, iterations: 1"), types, {.stop = &stop, .observers = {&ends}}),
                  Interrupted);
  CHECK_THROWS_AS(run(transfer("method: adam, clamp: false, learning_rate: 3e38, iterations: 60"), types,
                      {.observers = {&ends}}),
                  RunError);
  REQUIRE(ends.ends.size() == 3);
  CHECK((!ends.ends[0].interrupted && ends.ends[0].error.empty()));
  CHECK(ends.ends[1].interrupted);
  CHECK(ends.ends[2].error.find("'result' stopped at iteration ") != std::string::npos);
}

TEST_CASE("a run that is stopped before its first iteration overwrites nothing") {
  const TemporaryFolder folder;
  std::ofstream(folder / "mine.png") << "mine";
  std::string yaml = small_transfer("method: adam, iterations: 3", 40, 32);
  yaml.replace(yaml.find("unused.png"), 10, folder / "mine.png");
  std::atomic<bool> stop = true;
  CHECK_THROWS_AS(run(yaml, test_nodes(shipped_library()), {.stop = &stop}), Interrupted);
  CHECK(std::filesystem::file_size(folder / "mine.png") == 4);
}

namespace {

/// Two stages of one iteration; the result goes to `path`, previews to `preview`.
void run_two_stages(const std::string& path, const std::string& preview) {
  std::string yaml = small_transfer("method: adam, iterations: 1", 40, 32);
  yaml.replace(yaml.find("unused.png"), 10, "'" + path + "'");
  yaml += "  look: {type: Save, image: picture, path: '" + preview + "', every: 1}\n";
  yaml += "schedule:\n  - {set: {nodes.result.iterations: 3}}\n  - {set: {nodes.result.iterations: 1}}\n";
  run(yaml, test_nodes(shipped_library()));
}

}  // namespace

TEST_CASE("what a finished stage made is saved when the next one is stopped before its first iteration") {
  for (const bool in_loop : {false, true}) {
    const TemporaryFolder folder;
    std::string yaml = small_transfer("method: adam, iterations: 2", 40, 32);
    yaml.replace(yaml.find("unused.png"), 10, "'" + (folder / "result.png") + "'");
    yaml += "schedule:\n  - {}\n  - {}\n";
    std::atomic<bool> stop = false;
    int stages = 0;
    const auto stop_in_second = [&](Session& session) {
      if (++stages == 2)
        session.prepared().before_operation = [&](const Operation& operation) {
          if (is_loop(operation.section) == in_loop) stop = true;
        };
    };
    CHECK_THROWS_AS(run(yaml, test_nodes(shipped_library()), {.stop = &stop, .before_stage = stop_in_second}),
                    Interrupted);
    CHECK(stages == 2);
    CHECK(std::filesystem::exists(folder / "result.png"));
  }
}

TEST_CASE("before the run each stage asks for the places it will write to, and for no others") {
  const TemporaryFolder folder;
  std::ofstream(folder / "1") << "a file where the first stage's folder would be";
  CHECK_NOTHROW(run_two_stages(folder / "{stage}/result.png", folder / "looks/{stage}.png"));
  CHECK(std::filesystem::exists(folder / "2/result.png"));
  // A preview of the first stage, and the result of the second, cannot be written: found before anything is
  // run.
  const TemporaryFolder other;
  std::ofstream(other / "1") << "in the way";
  CHECK_THROWS_AS(run_two_stages(other / "result.png", other / "{stage}/look.png"), RunError);
  CHECK(!std::filesystem::exists(other / "result.png"));
  const TemporaryFolder third;
  std::ofstream(third / "2") << "in the way";
  CHECK_THROWS_AS(run_two_stages(third / "{stage}/result.png", third / "look-{stage}.png"), RunError);
  CHECK(!std::filesystem::exists(third / "look-1.png"));
}

TEST_CASE("the plan's scratch is for a number of workers: any will do, more than that is an error") {
  std::vector<float> reference;
  for (const int workers : {1, 3, 8}) {
    Driven driven(transfer("method: adam, iterations: 2"), workers);
    CHECK(driven.stage->plan.workers == workers);
    driven.use({}, [&](Session& session) {
      session.begin();
      while (session.running()) session.step();
      if (reference.empty()) reference = floats(session.canvas());
      CHECK(floats(session.canvas()) == reference);
    });
  }
  Driven narrow(transfer("method: adam, iterations: 2"), 1);
  ThreadScope wide(8);
  wide.execute([&] { CHECK_THROWS_AS(Session(*narrow.stage, {}), std::logic_error); });
}

TEST_CASE("a stage that changes the network's convention carries the picture over") {
  // Two stages of no iterations: the photo comes out as it went in, whatever numbers the canvas was in
  // between.
  const TemporaryFolder folder;
  std::filesystem::copy_file(GRAMFLOW_SOURCE_DIR "/configs/networks/vgg19-mini.safetensors",
                             folder / "vgg19-mini.safetensors");
  std::ifstream from(GRAMFLOW_SOURCE_DIR "/configs/networks/vgg19-mini.yaml");
  std::string text((std::istreambuf_iterator<char>(from)), {});
  std::ofstream(folder / "vgg19-mini.yaml") << text;
  const std::size_t input = text.find("input:");
  REQUIRE(input != std::string::npos);
  text.replace(input, text.find('\n', input) - input,
               "input: {order: bgr, scale: 255, mean: [123.68, 116.779, 103.939], std: [1, 1, 1]}");
  std::ofstream(folder / "caffe-like.yaml") << text;
  const std::string yaml = R"(version: 1
vars: {network: vgg19-mini}
nodes:
  photo: {type: Noise, size: [24, 16], seed: 4}
  photo_in: {type: Preprocess, image: photo, network: $network}
  wanted: {type: VGGExtract, input: photo_in, network: $network}
  features: {type: VGGExtract, input: result.canvas, network: $network}
  loss: {type: ContentLoss, features: features, target: wanted, layers: [relu1_1]}
  result: {type: Optimizer, start: photo_in, loss: loss, iterations: 0}
schedule:
  - {set: {network: vgg19-mini}}
  - {set: {network: caffe-like}}
)";
  const RunSummary two = run(yaml, test_nodes(library_of(folder.path())));
  const std::string single = yaml.substr(0, yaml.find("schedule"));
  const RunSummary one =
      run(std::string(single).replace(single.find("{network: vgg19-mini}"), 21, "{network: caffe-like}"),
          test_nodes(library_of(folder.path())));
  REQUIRE(result_of(two).size() == result_of(one).size());
  for (std::size_t i = 0; i < result_of(two).size(); ++i)
    REQUIRE(result_of(two)[i] == doctest::Approx(result_of(one)[i]).epsilon(1e-4));
}
