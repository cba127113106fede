// What Optimizer's parameters do to a whole run: pictures in their range, averages, moments, previews beside them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// A picture as canvas; a style that asks for more contrast than there is.
std::string restyled(const std::string& optimizer, double weight = 2e4, const std::string& more = "") {
  return fmt::format(R"(version: 1
nodes:
  photo: {{type: Noise, size: [48, 40], seed: 1, kind: bell}}
  style: {{type: Noise, size: [56, 44], seed: 2, deviation: 0.5}}
  photo_in: {{type: Preprocess, image: photo}}
  style_in: {{type: Preprocess, image: style}}
  canvas_in: {{type: Preprocess, image: result.canvas}}
  photo_features: {{type: VGGExtract, input: photo_in}}
  style_features: {{type: VGGExtract, input: style_in}}
  features: {{type: VGGExtract, input: canvas_in}}
  style_gram: {{type: Gram, features: style_features, layers: [relu1_1, relu2_1]}}
  gram: {{type: Gram, features: features, layers: [relu1_1, relu2_1]}}
  style_loss: {{type: StyleLoss, gram: gram, target: style_gram, weight: {1}}}
  content_loss: {{type: ContentLoss, features: features, target: photo_features, layers: [relu3_1]}}
  result: {{type: Optimizer, start: photo, loss: [content_loss, style_loss], {0}}}
{2})",
                     optimizer, weight, more);
}

struct Results final : Observer {
  struct Kept {
    std::string optimizer;
    std::int64_t iterations;
    double start, total, sum, clipped;
  };
  void result(const LoopResult& result) override {
    double sum = 0;
    for (const ReportedLoss& loss : result.losses) sum += loss.value;
    kept.push_back(
        {std::string(result.optimizer), result.iterations, result.start, result.total, sum, result.clipped});
  }
  void warning(const std::string& text) override { warnings.push_back(text); }
  std::vector<Kept> kept;
  std::vector<std::string> warnings;
};

RunSummary run_here(const std::string& yaml, RunOptions options = {}, int threads = 0) {
  return run(yaml, test_nodes(shipped_library()), options, threads);
}

bool in_range(const std::vector<float>& picture) {
  return std::all_of(picture.begin(), picture.end(), [](float v) { return v >= 0 && v <= 1; });
}

/// One stage in the caller's hands.
template <class Use>
void drive(const std::string& yaml, Use use) {
  const auto stage = std::move(compiled(yaml, test_nodes(shipped_library()), 2).front());
  ThreadScope threads(2);
  threads.execute([&] {
    Session session(*stage, {});
    use(session);
  });
}

std::vector<float> floats(TensorView view) { return {view.floats().begin(), view.floats().end()}; }

/// All that a run's bits may depend on.
const std::vector<std::string>& settings() {
  static const std::vector<std::string> all = {
      "iterations: 8, learning_rate: 0.1",
      "iterations: 8, learning_rate: 0.1, clamp: false, epsilon: 1.0e-8",
      "iterations: 8, learning_rate: 0.1, average: 0.8, warm_up: 3, decay: {cosine: 0.1}",
      "iterations: 8, learning_rate: 1.0e30, clamp: false",  // goes back again and again
      "iterations: 8, method: lbfgs",
      "iterations: 8, method: lbfgs, clamp: false, average: 0.5",
      "iterations: 8, method: lbfgs, line_search: none, learning_rate: 0.5, decay: {factor: 0.5, every: 3}",
      "iterations: 30, learning_rate: 0.1, stop: {change: 0.9, over: 2}"};
  return all;
}

}  // namespace

TEST_CASE("the canvas stays in the range of pictures, and what is reported is the loss of the picture") {
  for (const char* method :
       {"method: adam, learning_rate: 0.2", "method: lbfgs", "method: lbfgs, line_search: none",
        "method: adam, learning_rate: 0.2, average: 0.9"})
    for (const bool clamp : {true, false}) {
      CAPTURE(method);
      CAPTURE(clamp);
      drive(restyled(fmt::format("{}, iterations: 12, clamp: {}", method, clamp)), [&](Session& session) {
        session.begin();
        while (session.running()) session.step();
        const LoopResult& result = session.conclude();
        const std::vector<float> picture = floats(session.canvas());
        CHECK((in_range(picture) || !clamp));
        CHECK(result.iterations == 12);
        const bool descends = std::string(method).find("none") == std::string::npos;
        CHECK((!clamp || !descends || result.total < result.start));
        const auto clipped =
            std::count_if(picture.begin(), picture.end(), [](float v) { return v <= 0 || v >= 1; });
        CHECK(result.clipped ==
              doctest::Approx(static_cast<double>(clipped) / static_cast<double>(picture.size())));
        const double reported = result.total;
        for (float& value : session.canvas().floats()) value = std::clamp(value, 0.0F, 1.0F);
        CHECK(reported == session.evaluate_canvas());
      });
    }
}

TEST_CASE("without clamp the loss of the picture is not the loss that the optimiser saw") {
  Results results;
  Recorder recorder;
  run_here(restyled("method: adam, learning_rate: 0.2, iterations: 25, clamp: false"),
           {.observers = {&results, &recorder}});
  CHECK(results.kept[0].total > 1.1 * recorder.iterations().back().total);
  CHECK(results.kept[0].total == doctest::Approx(results.kept[0].sum));
  CHECK(results.kept[0].start == recorder.iterations().front().total);
}

TEST_CASE("optimising in the range gives the better picture, with both methods") {
  for (const char* method : {"method: adam, learning_rate: 0.1", "method: lbfgs"}) {
    CAPTURE(method);
    Results in, out;
    run_here(restyled(fmt::format("{}, iterations: 40", method)), {.observers = {&in}});
    run_here(restyled(fmt::format("{}, iterations: 40, clamp: false", method)), {.observers = {&out}});
    CHECK(in.kept[0].total < out.kept[0].total);
  }
}

TEST_CASE("the unit of the losses does not matter to Adam, unless epsilon says so") {
  const auto loss = [](double unit, const char* epsilon) {
    Results results;
    std::string yaml = restyled(fmt::format("iterations: 30, learning_rate: 0.1{}", epsilon), 2e4 * unit);
    yaml.replace(yaml.find("layers: [relu3_1]}"), 18, fmt::format("layers: [relu3_1], weight: {}}}", unit));
    run_here(yaml, {.observers = {&results}});
    return results.kept[0].total / unit;
  };
  const double whole = loss(1, "");
  for (const double unit : {1e-6, 1e-9, 1e-12, 1e6})
    CHECK(loss(unit, "") == doctest::Approx(whole).epsilon(0.01));
  CHECK(loss(1e-9, ", epsilon: 1.0e-8") > 1.5 * loss(1, ", epsilon: 1.0e-8"));
}

TEST_CASE("threads, executors and previews change no bit, whatever the optimiser is told") {
  const TemporaryFolder folder;
  const std::string preview = fmt::format(
      "  large: {{type: Resize, image: result, size: 300}}\n"
      "  save: {{type: Save, image: large, path: '{}/{{iteration}}.png', every: 3}}\n",
      folder.path());
  for (const std::string& optimizer : settings()) {
    CAPTURE(optimizer);
    const std::string yaml = restyled(optimizer);
    const std::vector<float> expected = result_of(run_here(yaml, {.executor = ExecutorKind::serial}, 1));
    for (const int threads : {2, 3}) CHECK(result_of(run_here(yaml, {}, threads)) == expected);
    const RunSummary with_previews =
        run_here(restyled(optimizer, 2e4, preview), {.before_stage = poison_free_memory}, 2);
    CHECK(result_of(with_previews) == expected);
  }
}

TEST_CASE("the picture is the average of the iterates, also in previews and for what starts from it") {
  const TemporaryFolder folder;
  const std::string yaml = restyled("iterations: 6, learning_rate: 0.1, average: 0.7");
  std::vector<double> sum;
  std::vector<float> finished;
  drive(yaml, [&](Session& session) {
    session.begin();
    const auto add = [&] {
      const std::vector<float> x = floats(session.canvas());
      sum.resize(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) sum[i] = 0.7 * sum[i] + 0.3 * static_cast<double>(x[i]);
    };
    add();
    while (session.running()) {
      session.step();
      add();
    }
    session.conclude();
    finished = floats(session.canvas());
  });
  for (std::size_t i = 0; i < sum.size(); ++i)
    REQUIRE(static_cast<double>(finished[i]) ==
            doctest::Approx(sum[i] / (1 - std::pow(0.7, 7))).epsilon(1e-5).scale(1));
  CHECK(result_of(run_here(yaml)) == finished);
  const RunSummary chain =
      run_here(yaml +
               "  smooth: {type: TVLoss, input: after.canvas}\n"
               "  after: {type: Optimizer, start: result, loss: smooth, iterations: 0}\n");
  CHECK(result_of(chain) == finished);
}

TEST_CASE("moments carried to an optimiser of the same kind: the chain is one run") {
  const auto chain = [](const std::string& carry, const std::string& start = "result",
                        const std::string& more = "") {
    return restyled("iterations: 5, learning_rate: 0.1") + more +
           fmt::format(R"(  after_in: {{type: Preprocess, image: after.canvas}}
  after_features: {{type: VGGExtract, input: after_in}}
  after_gram: {{type: Gram, features: after_features, layers: [relu1_1, relu2_1]}}
  after_style: {{type: StyleLoss, gram: after_gram, target: style_gram, weight: 2e4}}
  after_content: {{type: ContentLoss, features: after_features, target: photo_features, layers: [relu3_1]}}
  after: {{type: Optimizer, start: {}, loss: [after_content, after_style], iterations: 5, learning_rate: 0.1{}}}
)",
                       start, carry);
  };
  const std::vector<float> whole = result_of(run_here(restyled("iterations: 10, learning_rate: 0.1")));
  CHECK(result_of(run_here(chain(", carry: moments"))) == whole);
  CHECK(result_of(run_here(chain(""))) != whole);
  // By way of other sizes, back to the first one.
  const std::string sizes =
      "  larger: {type: Resize, image: result, size: [96, 80]}\n  back: {type: Resize, image: larger, size: "
      "[48, 40]}\n";
  const std::vector<float> expected = result_of(run_here(chain(", carry: moments", "back", sizes), {}, 1));
  CHECK(expected != result_of(run_here(chain("", "back", sizes))));
  for (const int threads : {2, 3})
    CHECK(result_of(run_here(chain(", carry: moments", "back", sizes), {.before_stage = poison_free_memory},
                             threads)) == expected);
}

TEST_CASE("moments that nobody has are a mistake at 'carry'") {
  const auto problem = [](const std::string& yaml) -> std::string {
    try {
      compiled(yaml, test_nodes(shipped_library()));
    } catch (const InvalidPipeline& invalid) {
      return invalid.diagnostics().sorted().front().code + ": " +
             invalid.diagnostics().sorted().front().message;
    }
    return "";
  };
  CHECK(problem(restyled("carry: moments")).empty());  // a warning; the first of a chain would be none
  const std::string after =
      "  smooth: {type: TVLoss, input: after.canvas}\n"
      "  after: {type: Optimizer, start: result, loss: smooth, iterations: 1, carry: moments}\n";
  CHECK(problem(restyled("method: lbfgs") + after).starts_with("no-moments: 'result' has no moments"));
  CHECK(problem(restyled("method: adam") + after).empty());
}

TEST_CASE("sampled positions stand still under L-BFGS and move under Adam") {
  const std::string neighbors =
      "  near: {type: NeighborLoss, features: features, target: style_features, layers: [relu2_1], grid: "
      "4}\n";
  const auto losses = [&](const std::string& optimizer) {
    std::string yaml = restyled(optimizer, 2e4, neighbors);
    yaml.replace(yaml.find("loss: [content_loss, style_loss]"), 32, "loss: near");
    std::vector<double> found;
    drive(yaml, [&](Session& session) {
      session.begin();
      const std::vector<float> start = floats(session.canvas());
      for (int i = 0; i < 3; ++i) {
        std::copy(start.begin(), start.end(), session.canvas().floats().begin());
        found.push_back(session.evaluate_canvas());
        std::copy(start.begin(), start.end(), session.canvas().floats().begin());
        session.step();
      }
    });
    return found;
  };
  const std::vector<double> moving = losses("method: adam"), still = losses("method: lbfgs");
  CHECK(moving[0] != moving[1]);
  CHECK(still[0] == still[1]);
  CHECK(still[0] == still[2]);
  CHECK(moving[0] == still[0]);
}

TEST_CASE("stages in the middle write what was asked of them") {
  const TemporaryFolder folder;
  const auto files = [&](const std::string& path, const std::string& every, const std::string& schedule) {
    std::filesystem::remove_all(folder / "out");
    run_here(restyled("iterations: 4", 2e4,
                      fmt::format("  save: {{type: Save, image: result, path: '{}/out/{}'{}}}\n",
                                  folder.path(), path, every)) +
             schedule);
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "out"))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  };
  using Names = std::vector<std::string>;
  const std::string two = "schedule: [{set: {nodes.result.iterations: 3}}, {}]\n";
  CHECK(files("{stage}-{iteration}.png", ", every: 2", two) ==
        Names{"1-00002.png", "1-00003.png", "2-00002.png", "2-00004.png"});
  CHECK(files("{stage}.png", "", two) == Names{"2.png"});
  CHECK(files("last.png", "",
              fmt::format("schedule: [{{set: {{nodes.save.path: '{}/out/first.png'}}}}, {{}}]\n",
                          folder.path())) == Names{"first.png", "last.png"});
  CHECK_THROWS_AS(files("{iteration}.png", ", every: 2", two), InvalidPipeline);
  CHECK_NOTHROW(files("{iteration}.png", "", two));
}

TEST_CASE("an optimiser that made no step names its picture 00000") {
  const TemporaryFolder folder;
  std::string yaml = restyled(
      "iterations: 5, method: lbfgs", 0,
      fmt::format("  save: {{type: Save, image: result, path: '{}/{{iteration}}.png'}}\n", folder.path()));
  const RunSummary summary = run_here(yaml);
  CHECK(summary.outputs == std::vector<std::string>{folder / "00000.png"});
}

TEST_CASE("useless runs are told, with the cause") {
  const auto warnings = [](const std::string& optimizer, double weight) {
    Results results;
    try {
      run_here(restyled(optimizer, weight), {.observers = {&results}});
    } catch (const RunError& error) {
      results.warnings.push_back(error.what());
    }
    std::string all;
    for (const std::string& text : results.warnings) all += text + "\n";
    return all;
  };
  CHECK(warnings("iterations: 20, learning_rate: 0.05", 2e4) == "");
  CHECK(warnings("iterations: 20, method: lbfgs", 2e4) == "");
  CHECK(warnings("iterations: 2", 0).find("all gradients are zero") != std::string::npos);
  CHECK(warnings("iterations: 2, method: lbfgs", 0).find("all gradients are zero") != std::string::npos);
  const std::string large = warnings("iterations: 6, learning_rate: 1000", 1);
  CHECK(large.find("far above that of the start") != std::string::npos);
  CHECK(large.find("nothing usable came out") != std::string::npos);
  CHECK(large.find("test.yaml:") != std::string::npos);
  CHECK(warnings("iterations: 6, learning_rate: 1000, clamp: false", 1).find("the loss explodes") !=
        std::string::npos);
  CHECK(warnings("iterations: 30, learning_rate: 1.0e-50", 2e4).find("has not changed for 20 iterations") !=
        std::string::npos);
}

TEST_CASE("a rate that leads to numbers that are not finite is halved until it does not") {
  Recorder recorder;
  Results results;
  struct Notes final : Observer {
    void iteration(const IterationReport& report) override {
      if (!report.note.empty()) notes.emplace_back(report.note);
    }
    std::vector<std::string> notes;
  } notes;
  const RunSummary summary = run_here(restyled("iterations: 8, learning_rate: 1.0e30, clamp: false"),
                                      {.observers = {&recorder, &results, &notes}});
  REQUIRE_FALSE(notes.notes.empty());
  CHECK(notes.notes[0].find("back to the last picture") != std::string::npos);
  for (const float value : result_of(summary)) REQUIRE(std::isfinite(value));
}
