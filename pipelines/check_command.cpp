// `gramflow check`: finds every mistake and prices the pipeline. Pictures are read and thrown away, to see
// that they are whole; everything else is told from their headers.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <unordered_map>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/base/text.h"
#include "framework/compile/verify.h"
#include "framework/config/yaml_writer.h"
#include "framework/exec/compile_stage.h"
#include "pipelines/commands.h"
#include "pipelines/thread_choice.h"

namespace gramflow {
namespace {

/// Direct-convolution operations that a core performs per operation of its peak, as measured for the standard
/// networks (docs/performance.md): above 1 because Winograd needs fewer.
constexpr double expected_efficiency = 1.8;

/// The shapes of what nodes make, by node; none for a number or a file.
std::unordered_map<std::string, std::string> sizes_of(const Program& program) {
  std::unordered_map<std::string, std::string> sizes;
  for (const Operation& operation : program.operations) {
    if (operation.backward || operation.outputs.empty() || operation.outputs[0] == no_tensor) continue;
    const Shape& shape = program.desc(operation.outputs[0]).shape;
    if (shape.elements() > 1) sizes[operation.origin.node] = shape.to_string();
  }
  return sizes;
}

/// A parameter's value as it is meant: a typed text letter by letter, whatever YAML would make of it.
std::string text_of(const Node& node, const Entry& entry) {
  const std::vector<Field>& fields = node.type->parameters.fields();
  const auto field =
      std::find_if(fields.begin(), fields.end(), [&](const Field& item) { return item.name == entry.key; });
  const bool is_text = field != fields.end() && field->type == "text";
  if (!is_text || entry.value->typed == nullptr || entry.value->is_unset_text())
    return to_flow_yaml(*entry.value);
  Value meant;
  meant.data = Value::Scalar{entry.value->typed->text, false};
  return to_flow_yaml(meant);
}

/// "weight: 1e4, layers: [relu2_1]"; what is wired is no parameter.
std::string parameters_of(const Node& node) {
  std::string text;
  for (const Entry& entry : node.entry.entries) {
    const auto& inputs = node.type->inputs;
    if (std::any_of(inputs.begin(), inputs.end(),
                    [&](const InputPort& port) { return port.name == entry.key; }))
      continue;
    text += (text.empty() ? "" : ", ") + entry.key + ": " + text_of(node, entry);
  }
  return text;
}

void print_nodes(const CompiledStage& stage) {
  std::vector<std::array<std::string, 5>> rows;
  std::array<std::size_t, 5> widths{};
  std::unordered_map<std::string, std::string> sizes = sizes_of(stage.plan.program);
  for (const auto& [index, section] : stage.graph.order) {
    const Node& node = stage.graph.nodes[static_cast<std::size_t>(index)];
    rows.push_back({stage.plan.program.section_name(section), node.id(), node.type->name, sizes[node.id()],
                    parameters_of(node)});
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], rows.back()[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("  {:{}}", row[i], widths[i]);
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

void print_stage(const CompiledStage& stage, int number, double peak_gflops) {
  const Program& program = stage.plan.program;
  if (stage.document.stages > 1) fmt::print("stage {} of {}\n", number + 1, stage.document.stages);
  print_nodes(stage);
  for (std::size_t k = 0; k < program.loops.size(); ++k) {
    const Shape& canvas = program.desc(program.loops[k].canvas).shape;
    const double gflop = stage.plan.loop_costs[k].flops * 1e-9;
    const std::string name = program.loops.size() > 1 ? program.loops[k].node + ": " : "";
    fmt::print("  {}canvas {}x{}, {} iterations of {}\n", name, canvas.width, canvas.height,
               stage.optimizations[k].iterations, stage.optimizations[k].method);
    fmt::print("  {:.1f} GFLOP an iteration, about {} here\n", gflop,
               human_seconds(gflop / (peak_gflops * expected_efficiency)));
  }
  fmt::print(
      "  memory {}: program {}, tensors {} (without sharing {}), weights {}, optimiser {}, pictures {}\n",
      human_bytes(stage.planned_bytes()), human_bytes(stage.program_bytes),
      human_bytes(stage.plan.arena_bytes), human_bytes(stage.plan.unshared_bytes),
      human_bytes(stage.plan.filter_bytes), human_bytes(stage.plan.external_bytes),
      human_bytes(stage.plan.transient_bytes + stage.carried_bytes));
}

void prove(const std::vector<std::unique_ptr<CompiledStage>>& stages, const std::string& file) {
  for (const auto& stage : stages)
    if (const std::vector<std::string> problems = verify(stage->plan); !problems.empty())
      throw RunError(fmt::format("{}: stage {}: the plan is not proven, which is a defect of gramflow: {}",
                                 file, stage->number + 1, problems.front()));
}

/// Reads every picture to its end, so that check and run agree about them. Reported at the node.
void try_files(const std::vector<std::unique_ptr<CompiledStage>>& stages, Diagnostics& found) {
  std::vector<std::string> seen;
  for (const auto& stage : stages)
    for (const Operation& operation : stage->plan.program.operations) {
      try {
        operation.op->trial();
      } catch (const RunError& problem) {
        if (std::find(seen.begin(), seen.end(), problem.what()) != seen.end()) continue;
        seen.emplace_back(problem.what());
        found.error("unreadable-file", operation.origin.span, problem.what());
      }
    }
}

/// Whether there is nothing to say but that a file is made for others to include.
bool only_subgraphs(const Diagnostics& found) {
  return std::all_of(found.all().begin(), found.all().end(), [](const Diagnostic& item) {
    return item.severity == Severity::warning || item.code == "only-subgraphs";
  });
}

}  // namespace

void add_check_command(CLI::App& app, Environment& environment, const bool& json) {
  struct Options {
    PipelineArguments pipeline;
    int threads = 0;
    bool verify = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "Find mistakes, and say what a run would take");
  options->pipeline.add_to(*command);
  command->add_option("--threads", options->threads, "threads to plan for (0: all cores)")
      ->check(CLI::Range(0, 4096));
  command->add_flag("--verify", options->verify,
                    "also prove that no operation can overwrite what another one still needs");
  command->callback([options, &environment, &json] {
    Diagnostics found;
    const auto stages = plan_stages(options->pipeline.read(), environment.types, found,
                                    threads_for_command(options->threads, json));
    const bool planned =
        std::all_of(stages.begin(), stages.end(), [](const auto& stage) { return stage != nullptr; });
    if (found.has_errors() && only_subgraphs(found)) {
      if (json)
        fmt::print("[]\n");
      else
        fmt::print("{}: it only defines subgraphs, whose nodes are checked where a pipeline includes it\n",
                   options->pipeline.file);
      return;
    }
    if (planned) try_files(stages, found);
    if (planned && !json) {
      const double peak =
          stages.front()->plan.devices.main->measure_peak_gflops(0.05) * stages.front()->plan.workers;
      for (std::size_t i = 0; i < stages.size(); ++i) print_stage(*stages[i], static_cast<int>(i), peak);
      std::fflush(stdout);
    }
    if (found.has_errors()) throw InvalidPipeline(std::move(found));
    print_diagnostics(found, json);
    if (options->verify) prove(stages, options->pipeline.file);
    if (json) return;
    fmt::print("{}: no mistakes{}\n", options->pipeline.file, options->verify ? ", the plan is proven" : "");
  });
}

}  // namespace gramflow
