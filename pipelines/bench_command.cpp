// `gramflow bench`: seconds an iteration of the d2l recipe on noise, against what the machine could do.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"
#include "framework/base/resident_memory.h"
#include "framework/base/text.h"
#include "framework/devices/cpu/cpu_device.h"
#include "framework/exec/run_stages.h"
#include "pipelines/commands.h"
#include "pipelines/thread_choice.h"

namespace gramflow {
namespace {

struct BenchOptions {
  int width = 450;
  int height = 300;
  std::string network = "vgg19";
  std::string optimizer = "adam";
  std::string style = "gram";
  int iterations = 10;
  int threads = 0;
  std::string executor = "flow";
  std::string convolution = "auto";
  bool json = false;
};

std::string bench_pipeline(const BenchOptions& options, int iterations) {
  return fmt::format(R"(version: 1
nodes:
  content: {{type: Noise, size: [{w}, {h}], seed: 1}}
  style: {{type: Noise, size: [{w}, {h}], seed: 2}}
  content_in: {{type: Preprocess, image: content, network: {n}}}
  style_in: {{type: Preprocess, image: style, network: {n}}}
  content_features: {{type: VGGExtract, input: content_in, network: {n}}}
  style_features: {{type: VGGExtract, input: style_in, network: {n}}}
  canvas_features: {{type: VGGExtract, input: result.canvas, network: {n}}}
  style_gram: {{type: Gram, features: style_features, layers: [relu1_1, relu2_1, relu3_1, relu4_1, conv5_1]}}
  canvas_gram: {{type: Gram, features: canvas_features, layers: [relu1_1, relu2_1, relu3_1, relu4_1, conv5_1]}}
  content_loss: {{type: ContentLoss, features: canvas_features, target: content_features, layers: [relu4_4], weight: 1}}
  style_loss: {{type: StyleLoss, gram: canvas_gram, target: style_gram, kind: {s}, weight: 1e4}}
  tv_loss: {{type: TVLoss, input: result.canvas, weight: 10}}
  result: {{type: Optimizer, start: content_in, loss: [content_loss, style_loss, tv_loss], method: {m}, iterations: {i}}}
)",
                     fmt::arg("w", options.width), fmt::arg("h", options.height),
                     fmt::arg("n", options.network), fmt::arg("m", options.optimizer),
                     fmt::arg("s", options.style), fmt::arg("i", iterations));
}

struct OperationRow {
  std::string label;
  std::string kind;
  double seconds = 0;
  double flops = 0;
  double bytes = 0;
};

/// Keeps seconds per evaluation of every iteration but the first, which warms up.
class Stopwatch final : public Observer {
 public:
  void start(const RunStart& start) override {
    planned_bytes = start.stages.front().planned_bytes;
    threads = start.threads;
  }
  void iteration(const IterationReport& report) override {
    if (report.iteration == 0) return;
    seconds.push_back(report.seconds);
    evaluations += report.evaluations;
  }
  std::vector<double> seconds;
  int evaluations = 0;
  int threads = 1;
  std::uint64_t planned_bytes = 0;
};

std::vector<OperationRow> operation_rows(const PreparedPlan& prepared) {
  std::vector<OperationRow> rows;
  const Plan& plan = prepared.plan();
  for (std::size_t i = plan.sections[loop_section(0)].begin; i < plan.sections[loop_section(0)].end; ++i) {
    const Operation& operation = plan.program.operations[i];
    const Cost cost = plan.program.cost(operation);
    const OperationTime& time = prepared.times()[i];
    rows.push_back({operation.label, std::string(operation.op->kind()),
                    static_cast<double>(time.end - time.start) * 1e-9, cost.flops, cost.bytes});
  }
  return rows;
}

/// Operations that had to be done: what is repeated to save memory does not count.
double loop_flops(const Plan& plan, std::string_view kind) {
  double flops = 0;
  for (std::size_t i = plan.sections[loop_section(0)].begin; i < plan.sections[loop_section(0)].end; ++i) {
    const Operation& operation = plan.program.operations[i];
    if (operation.op->kind().starts_with(kind) && !operation.repeated)
      flops += plan.program.cost(operation).flops;
  }
  return flops;
}

void run_once(const BenchOptions& options, Environment& environment, const Devices& devices, int iterations,
              ExecutorKind executor, Stopwatch& stopwatch, std::function<void(Session&)> after) {
  Diagnostics warnings;
  const auto source = std::make_shared<SourceFile>("bench", bench_pipeline(options, iterations));
  auto stages = compile_stages({source, {}}, environment.types, warnings, options.threads, devices);
  RunOptions session;
  session.executor = executor;
  session.observers = {&stopwatch};
  session.after_stage = std::move(after);
  run_stages(std::move(stages), session);
}

/// An unknown network is a mistake on the command line, not in a pipeline that nobody wrote.
void check_network(const BenchOptions& options, NetworkLibrary& library) {
  const auto text = std::make_shared<SourceFile>("--network", options.network);
  const Span whole = {text, {1, 1}, {1, static_cast<int>(options.network.size()) + 1}};
  Diagnostics problems;
  if (library.network(options.network, ".", whole, problems) == nullptr)
    throw InvalidPipeline(std::move(problems));
}

void run_bench(const BenchOptions& options, Environment& environment) {
  check_network(options, *environment.library);
  ConvolutionMethod method = ConvolutionMethod::automatic;
  if (options.convolution == "winograd") method = ConvolutionMethod::winograd;
  if (options.convolution == "direct") method = ConvolutionMethod::direct;
  const Devices devices = cpu_devices(method);
  environment.library->use_random_weights_when_missing(1);
  Stopwatch stopwatch;
  double flops = 0;
  double convolutions = 0;
  run_once(options, environment, devices, options.iterations + 1,
           options.executor == "serial" ? ExecutorKind::serial : ExecutorKind::flow, stopwatch,
           [&](Session& session) {
             flops = loop_flops(session.prepared().plan(), "");
             convolutions = loop_flops(session.prepared().plan(), "Convolution");
           });
  const double peak_bytes = static_cast<double>(peak_resident_bytes());
  // Operations one after the other for the table: overlapping ones would count twice.
  std::vector<OperationRow> rows;
  Stopwatch ignored;
  run_once(options, environment, devices, 3, ExecutorKind::serial, ignored,
           [&](Session& session) { rows = operation_rows(session.prepared()); });
  const double peak_gflops = devices.main->measure_peak_gflops(0.3) * stopwatch.threads;
  std::vector<double> seconds = stopwatch.seconds;
  std::sort(seconds.begin(), seconds.end());
  const double fastest = seconds.front();
  const double median = seconds[seconds.size() / 2];
  const double roofline = convolutions * 1e-9 / peak_gflops;
  std::sort(rows.begin(), rows.end(),
            [](const OperationRow& a, const OperationRow& b) { return a.seconds > b.seconds; });
  if (options.json) {
    nlohmann::ordered_json object = {{"width", options.width},
                                     {"height", options.height},
                                     {"network", options.network},
                                     {"optimizer", options.optimizer},
                                     {"threads", stopwatch.threads},
                                     {"instruction_set", devices.main->description()},
                                     {"iterations", seconds.size()},
                                     {"evaluations", stopwatch.evaluations},
                                     {"seconds_min", fastest},
                                     {"seconds_median", median},
                                     {"peak_rss_mb", peak_bytes / 1048576},
                                     {"planned_mb", static_cast<double>(stopwatch.planned_bytes) / 1048576},
                                     {"gflops", flops * 1e-9 / fastest},
                                     {"fma_peak_gflops", peak_gflops},
                                     {"direct_roofline_seconds", roofline},
                                     {"ops", nlohmann::ordered_json::array()}};
    for (const OperationRow& row : rows)
      object["ops"].push_back({{"name", row.label},
                               {"kind", row.kind},
                               {"seconds", row.seconds},
                               {"gflops", row.flops * 1e-9 / row.seconds},
                               {"gb_per_s", row.bytes * 1e-9 / row.seconds}});
    std::cout << object.dump(2) << '\n';
    return;
  }
  fmt::print("{}x{} {} {} {} on {} thread(s), {}\n", options.width, options.height, options.network,
             options.optimizer, options.style, stopwatch.threads, devices.main->description());
  fmt::print("  {} an iteration at best, {} median, {} evaluations in {} iterations\n",
             human_seconds(fastest), human_seconds(median), stopwatch.evaluations, seconds.size());
  fmt::print("  {:.0f} GFLOP/s of direct convolution's operations; the machine's FMA peak is {:.0f}\n",
             flops * 1e-9 / fastest, peak_gflops);
  fmt::print("  {:.2f} of the time that direct convolution would need at that peak ({})\n",
             fastest / roofline, human_seconds(roofline));
  fmt::print("  memory: {} planned, {} resident at most\n\n", human_bytes(stopwatch.planned_bytes),
             human_bytes(static_cast<std::uint64_t>(peak_bytes)));
  fmt::print("  {:44} {:>10} {:>8} {:>8}\n", "operation", "time", "GFLOP/s", "GB/s");
  for (const OperationRow& row : rows)
    fmt::print("  {:44} {:>10} {:8.0f} {:8.1f}\n", row.label, human_seconds(row.seconds),
               row.flops * 1e-9 / row.seconds, row.bytes * 1e-9 / row.seconds);
}

}  // namespace

void add_bench_command(CLI::App& app, Environment& environment, int&) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command =
      app.add_subcommand("bench", "Time an iteration; weights are drawn at random when there are none");
  command->add_option("--width", options->width, "of the picture")->check(CLI::Range(16, 65536));
  command->add_option("--height", options->height, "of the picture")->check(CLI::Range(16, 65536));
  command->add_option("--network", options->network, "a network, for example vgg19 or vgg19-mini");
  command->add_option("--optimizer", options->optimizer, "adam or lbfgs")
      ->check(CLI::IsMember({"adam", "lbfgs"}));
  command->add_option("--style", options->style, "what styles are compared by: gram, w2 or mean-variance")
      ->check(CLI::IsMember({"gram", "w2", "mean-variance"}));
  command->add_option("--iterations", options->iterations, "to time, after one to warm up")
      ->check(CLI::Range(1, 100000));
  command->add_option("--threads", options->threads, "0: all cores")->check(CLI::Range(0, 4096));
  command->add_option("--executor", options->executor, "flow or serial")
      ->check(CLI::IsMember({"flow", "serial"}));
  command->add_option("--conv", options->convolution, "how 3x3 convolutions are computed")
      ->check(CLI::IsMember({"auto", "winograd", "direct"}));
  command->add_flag("--json", options->json, "for machines");
  command->callback([options, &environment] {
    options->threads = threads_for_command(options->threads, options->json);
    run_bench(*options, environment);
  });
}

}  // namespace gramflow
