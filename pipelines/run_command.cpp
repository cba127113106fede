// `gramflow run`: the whole pipeline, with progress, log and trace.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/canonical.h"
#include "framework/exec/run_stages.h"
#include "framework/observers/console_observer.h"
#include "framework/observers/log_observer.h"
#include "framework/observers/trace.h"
#include "pipelines/canonical_pipeline.h"
#include "pipelines/commands.h"
#include "pipelines/interruption.h"
#include "pipelines/terminal.h"
#include "pipelines/thread_choice.h"

namespace gramflow {
namespace {

struct RunCommandOptions {
  PipelineArguments pipeline;
  int threads = 0;
  std::string log;
  std::string trace;
  std::string executor = "flow";
  std::string convolution = "auto";
  bool quiet = false;
};

cpu::ConvolutionMethod method_of(const std::string& name) {
  if (name == "winograd") return cpu::ConvolutionMethod::winograd;
  if (name == "direct") return cpu::ConvolutionMethod::direct;
  return cpu::ConvolutionMethod::automatic;
}

/// The canonical pipeline beside each picture, so that any picture can be made again: result.png ->
/// result.gramflow.yaml.
void write_pipeline_beside(const std::string& picture, const std::string& canonical) {
  const std::filesystem::path path = std::filesystem::path(picture).replace_extension(".gramflow.yaml");
  const std::filesystem::path beside = path.string() + ".part";
  std::ofstream file(beside, std::ios::binary);
  file << canonical;
  if (!file.flush()) throw RunError(path.string() + ": cannot be written");
  file.close();
  std::filesystem::rename(beside, path);
}

/// Does so for every picture as it is saved, so that an interrupted run's picture has one, too.
class PipelineWriter final : public Observer {
 public:
  explicit PipelineWriter(const CanonicalPipeline& canonical) : canonical_(canonical) {}
  void saved(const std::string& path) override { write_pipeline_beside(path, canonical_.beside(path)); }

 private:
  const CanonicalPipeline& canonical_;
};

/// However the run ends.
class TraceWriter final : public Observer {
 public:
  TraceWriter(const Trace* trace, const std::string& path) : trace_(trace), path_(path) {}
  void end(const RunEnd&) override {
    if (trace_ != nullptr) trace_->write(path_);
  }

 private:
  const Trace* trace_;
  const std::string& path_;
};

void run_pipeline(const RunCommandOptions& options, Environment& environment) {
  Interruption interruption;  // before any thread is made, so that all of them leave the signals to it
  environment.library->set_convolution_method(method_of(options.convolution));
  const PipelineSource source = options.pipeline.read();
  Diagnostics warnings;
  std::vector<std::unique_ptr<CompiledStage>> stages = compile_stages(
      source, environment.types, warnings, threads_for_command(options.threads, options.quiet));
  if (!options.quiet) print_diagnostics(warnings, false);
  Diagnostics known;  // told above
  const CanonicalPipeline canonical(source, environment.types, known);
  const std::string hash = content_hash(canonical.here());
  for (const auto& stage : stages) stage->run_state->description = "gramflow pipeline " + hash;

  RunOptions session;
  session.executor = options.executor == "serial" ? ExecutorKind::serial : ExecutorKind::flow;
  session.stop = &interruption.requested();
  ConsoleOptions console_options;
  console_options.terminal = can_redraw();
  console_options.quiet = options.quiet;
  ConsoleObserver console(std::cerr, console_options);
  session.observers.push_back(&console);
  std::unique_ptr<LogObserver> log;
  if (!options.log.empty()) {
    log = std::make_unique<LogObserver>(options.log);
    session.observers.push_back(log.get());
  }
  PipelineWriter pipeline_writer(canonical);
  session.observers.push_back(&pipeline_writer);
  std::unique_ptr<Trace> trace;
  if (!options.trace.empty()) {
    trace = std::make_unique<Trace>();
    trace->write(options.trace);  // finds out before the run whether it can be written
    session.trace = trace.get();
  }
  TraceWriter trace_writer(trace.get(), options.trace);
  session.observers.push_back(&trace_writer);
  run_stages(std::move(stages), session);
}

}  // namespace

void add_run_command(CLI::App& app, Environment& environment, int&) {
  auto options = std::make_shared<RunCommandOptions>();
  CLI::App* command = app.add_subcommand("run", "Run a pipeline");
  options->pipeline.add_to(*command);
  command
      ->add_option("--threads", options->threads,
                   "threads to use (0: all cores); the picture is the same for any number")
      ->check(CLI::Range(0, 4096));
  command->add_option("--log", options->log, "write one JSON object a line: start, every iteration, end")
      ->type_name("FILE.jsonl");
  command->add_option("--trace", options->trace, "write a Chrome/Perfetto trace of operations by thread")
      ->type_name("FILE.json");
  command
      ->add_option("--executor", options->executor,
                   "flow: independent operations overlap; serial: one after the other; same bits")
      ->check(CLI::IsMember({"flow", "serial"}));
  command->add_option("--conv", options->convolution, "how 3x3 convolutions are computed")
      ->check(CLI::IsMember({"auto", "winograd", "direct"}));
  command->add_flag("--quiet", options->quiet, "print nothing but errors");
  command->callback([options, &environment] { run_pipeline(*options, environment); });
}

}  // namespace gramflow
