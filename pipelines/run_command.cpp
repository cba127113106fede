// `gramflow run`: the whole pipeline, with progress, log, trace, checkpoints and sidecars.
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <map>
#include <optional>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"
#include "framework/base/terminal_text.h"
#include "framework/config/canonical.h"
#include "framework/config/untrusted_path.h"
#include "framework/devices/cpu/cpu_device.h"
#include "framework/exec/run_stages.h"
#include "framework/observers/console_observer.h"
#include "framework/observers/log_observer.h"
#include "framework/observers/trace.h"
#include "pipelines/canonical_pipeline.h"
#include "pipelines/commands.h"
#include "pipelines/interruption.h"
#include "pipelines/run/checkpoint_choice.h"
#include "pipelines/run/memory_forecast.h"
#include "pipelines/run/provenance.h"
#include "pipelines/run/resume.h"
#include "pipelines/run/written_files.h"
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
  std::string resume;  ///< "" not; resume_here; or a file
  bool accept_changes = false;
  bool force = false;
  bool untrusted = false;
  bool sidecars = true;
};

const std::string resume_here = "from its own place";

using Stages = std::vector<std::unique_ptr<CompiledStage>>;
using Tell = std::function<void(const std::string&)>;

ConvolutionMethod method_of(const std::string& name) {
  if (name == "winograd") return ConvolutionMethod::winograd;
  if (name == "direct") return ConvolutionMethod::direct;
  return ConvolutionMethod::automatic;
}

/// However the run ends. All borrowed.
class TraceWriter final : public Observer {
 public:
  TraceWriter(const Trace* trace, const std::string& path, std::vector<Observer*> others)
      : trace_(trace), path_(path), others_(std::move(others)) {}
  void end(const RunEnd&) override {
    try {
      if (trace_ != nullptr) trace_->write(path_);
    } catch (const RunError& problem) {
      for (Observer* other : others_) other->warning(problem.what());
    }
  }

 private:
  const Trace* trace_;
  const std::string& path_;
  std::vector<Observer*> others_;
};

Diagnostics one_problem(const std::string& code, const Span& span, const std::string& message) {
  Diagnostics found;
  found.error(code, span, message).suggest("choose another name");
  return found;
}

/// Iterations that each stage asks for, by optimiser.
std::vector<std::map<std::string, std::int64_t>> asked_iterations(const Stages& stages) {
  std::vector<std::map<std::string, std::int64_t>> result;
  for (const auto& stage : stages) {
    auto& iterations = result.emplace_back();
    for (const Optimization& optimization : stage->optimizations)
      iterations[optimization.node] = optimization.iterations;
  }
  return result;
}

std::vector<std::string> pipeline_files(const PipelineSource& source, const Stages& stages) {
  std::vector<std::string> files = stages.front()->document.included;
  if (!source.file->typed_for()) files.push_back(source.file->name());
  return files;
}

/// All that a run writes, told apart and free of others; the checkpoint's place may turn out not to be usable.
WrittenFiles written_files(const RunCommandOptions& options, const PipelineSource& source,
                           const Stages& stages, CheckpointChoice& checkpoint, const Tell& tell) {
  WrittenFiles files(stages, pipeline_files(source, stages));
  checkpoint = choose_checkpoint(stages.front()->document.checkpoint, files.first_picture());
  if (source.untrusted && checkpoint.asked)
    if (const std::string problem = untrusted_spelling_problem(checkpoint.path); !problem.empty())
      throw InvalidPipeline(one_problem("untrusted", stages.front()->document.checkpoint->path_span,
                                        "the checkpoint " + problem + ", which --untrusted does not allow"));
  if (stages.back()->plan.program.loops.empty()) checkpoint.path.clear();
  if (!checkpoint.path.empty()) {
    if (const std::string other = CheckpointStore(checkpoint.path).in_the_way(); !other.empty()) {
      if (checkpoint.asked)
        throw InvalidPipeline(one_problem("unwritable", stages.front()->document.checkpoint->path_span,
                                          "the checkpoint would overwrite " + other + ", which is none"));
      tell("warning: no checkpoint will be written, as " + other + " is something else");
      checkpoint.path.clear();
    }
  }
  if (!checkpoint.path.empty())
    files.add({"the checkpoint", checkpoint.path,
               checkpoint.asked ? stages.front()->document.checkpoint->path_span : Span{}});
  if (!options.log.empty()) files.add({"the log", options.log, {}});
  if (!options.trace.empty()) files.add({"the trace", options.trace, {}});
  files.check();
  return files;
}

void run_pipeline(const RunCommandOptions& options, Environment& environment) {
  Interruption interruption;  // before any thread is made, so that all of them leave the signals to it
  const Tell tell = [&](const std::string& text) {
    if (!options.quiet) std::cerr << terminal_text(text) << '\n';
  };
  PipelineSource source = options.pipeline.read();
  source.untrusted = options.untrusted;
  Diagnostics warnings;
  Stages stages =
      compile_stages(source, environment.types, warnings, threads_for_command(options.threads, options.quiet),
                     cpu_devices(method_of(options.convolution)));
  if (!options.quiet) print_diagnostics(warnings, false);
  if (interruption.requested()) throw Interrupted();

  CheckpointChoice checkpoint;
  const WrittenFiles files = written_files(options, source, stages, checkpoint, tell);
  if (const std::string problem = memory_problem(stages, available_memory()); !problem.empty()) {
    if (!options.force) throw MissingResource(options.pipeline.file + ": " + problem);
    tell("warning: " + problem);
  }
  const std::vector<OutputLock> locks = files.lock(options.pipeline.file);

  Diagnostics known;  // told above
  const CanonicalPipeline canonical(source, environment.types, known);
  const CheckpointHead identity = checkpoint_identity(canonical.by_content(), options.convolution, stages);
  const std::unique_ptr<CheckpointFile> resume = find_resume(
      {!options.resume.empty(), options.resume == resume_here ? "" : options.resume, options.accept_changes},
      checkpoint.path, identity, stages, tell);
  if (interruption.requested()) throw Interrupted();

  RunOptions session;
  session.executor = options.executor == "serial" ? ExecutorKind::serial : ExecutorKind::flow;
  session.stop = &interruption.requested();
  session.resume = resume.get();
  std::optional<CheckpointKeeper> keeper;
  if (!checkpoint.path.empty())
    session.checkpoints = &keeper.emplace(checkpoint.path, checkpoint.rhythm, identity);
  ConsoleOptions console_options;
  console_options.terminal = can_redraw();
  console_options.quiet = options.quiet;
  ConsoleObserver console(std::cerr, console_options);
  session.observers.push_back(&console);
  std::unique_ptr<LogObserver> log;
  if (!options.log.empty()) {
    log = std::make_unique<LogObserver>(options.log, resume != nullptr,
                                        [&](const std::string& problem) { console.warning(problem); });
    session.observers.push_back(log.get());
  }
  std::unique_ptr<Trace> trace;
  if (!options.trace.empty()) {
    const ReplacedFile probe(options.trace);  // finds out before the run whether it can be written
    trace = std::make_unique<Trace>();
    session.trace = trace.get();
  }
  TraceWriter trace_writer(trace.get(), options.trace, session.observers);
  session.observers.push_back(&trace_writer);
  const Provenance provenance(canonical, environment.types, identity.sources, identity.program,
                              asked_iterations(stages));
  for (const auto& stage : stages) {
    stage->run_state->provenance = [&](const MadePicture& picture) {
      return provenance.text_within(picture);
    };
    stage->run_state->saved = [&, sidecars = options.sidecars](const MadePicture& picture) {
      if (!sidecars) return;
      if (const std::string problem = write_sidecar(picture.path, provenance.text(picture)); !problem.empty())
        for (Observer* observer : session.observers) observer->warning(problem);
    };
  }
  run_stages(std::move(stages), session);
  if (keeper) keeper->remove();
}

}  // namespace

void run_made_pipeline(PipelineArguments pipeline, int threads, bool quiet, Environment& environment) {
  RunCommandOptions options;
  options.pipeline = std::move(pipeline);
  options.threads = threads;
  options.quiet = quiet;
  run_pipeline(options, environment);
}

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
  command->add_flag(
      "--resume{" + resume_here + "}", options->resume,
      "go on from the run's checkpoint, or from another: --resume=FILE; without one start anew");
  command->add_flag("--accept-changes", options->accept_changes,
                    "with --resume: go on although the pipeline has changed since");
  command->add_flag("--force", options->force, "run although the memory that is free seems not to be enough");
  command->add_flag(
      "--untrusted", options->untrusted,
      "the pipeline is a stranger's: it may name no file outside of its folder, and no environment variable");
  command->add_flag("!--no-sidecars", options->sidecars, "write no PICTURE.gramflow.yaml beside pictures");
  command->callback([options, &environment] { run_pipeline(*options, environment); });
}

}  // namespace gramflow
