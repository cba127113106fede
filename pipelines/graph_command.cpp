// `gramflow graph`: the pipeline as text, or drawn by Graphviz.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"
#include "framework/compile/compile.h"
#include "framework/compile/passes.h"
#include "framework/config/expand.h"
#include "framework/devices/cpu/cpu_device.h"
#include "framework/exec/compile_stage.h"
#include "pipelines/commands.h"
#include "pipelines/dot.h"

namespace gramflow {
namespace {

struct GraphOptions {
  PipelineArguments pipeline;
  std::string output;
  std::string after;
  int width = default_drawing_width;
  bool with_backward = false;
};

/// The program as it stands after a pass.
std::string program_after(const std::string& pass, Program program) {
  if (pass == "lower") return program.to_string();
  differentiate(program);
  if (pass == "differentiate") return program.to_string();
  eliminate(program);
  if (pass == "eliminate") return program.to_string();
  const Devices devices = cpu_devices();
  place(program, devices);
  fuse(program, devices);
  if (pass == "fuse") return program.to_string();
  rematerialise(program);
  if (pass == "rematerialise") return program.to_string();
  schedule(program);
  return program.to_string();
}

/// A word that a shell takes letter by letter.
std::string shell_word(const std::string& word) {
  std::string quoted = "'";
  for (const char letter : word) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

void draw(const std::string& dot, const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  const std::string dot_path = ending == ".dot" ? path : path + ".dot";
  replace_file(dot_path, dot);
  if (ending == ".dot") return;
  const std::string command =
      fmt::format("dot -T{} {} -o {} 2>&1", ending.substr(1), shell_word(dot_path), shell_word(path));
  const int status =
      std::system(command.c_str());  // NOLINT(cert-env33-c): Graphviz is a program, not a library, everywhere
  std::filesystem::remove(dot_path);
  if (status != 0)
    throw MissingResource(
        "drawing needs Graphviz's program 'dot' (Debian: apt-get install graphviz); -o FILE.dot works "
        "without");
}

}  // namespace

void add_graph_command(CLI::App& app, Environment& environment, int&) {
  auto options = std::make_shared<GraphOptions>();
  CLI::App* command = app.add_subcommand("graph", "Draw the pipeline");
  options->pipeline.add_to(*command);
  command->add_option("-o,--output", options->output, "FILE.dot, FILE.svg or FILE.png; default: text")
      ->check([](const std::string& path) {
        const std::string ending = std::filesystem::path(path).extension().string();
        return ending == ".dot" || ending == ".svg" || ending == ".png"
                   ? ""
                   : "takes FILE.dot, FILE.svg or FILE.png";
      });
  command
      ->add_option("--width", options->width,
                   "pixels after which a long drawing goes on below (default: 4000; 0: never)")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--with-backward", options->with_backward,
                    "draw what is run, each node forward and back");
  command
      ->add_option("--after", options->after,
                   "print the program, operation by operation, as it is after a pass")
      ->check(CLI::IsMember(
          {"link", "lower", "differentiate", "eliminate", "fuse", "rematerialise", "schedule"}));
  command->callback([options, &environment] {
    const PipelineSource source = options->pipeline.read();
    Diagnostics diagnostics;
    const Document document = expand(source, 0, diagnostics, port_test(environment.types));
    const Graph graph = link(document, environment.types, diagnostics);
    if (diagnostics.has_errors()) throw InvalidPipeline(std::move(diagnostics));
    const bool nodes_only = !options->with_backward && (options->after.empty() || options->after == "link");
    if (nodes_only) {
      if (options->output.empty())
        std::cout << to_string(graph);
      else
        draw(to_dot(graph, options->width), options->output);
      return;
    }
    Lowered lowered = lower(graph, diagnostics);
    if (diagnostics.has_errors()) throw InvalidPipeline(std::move(diagnostics));
    if (!options->after.empty()) {
      std::cout << program_after(options->after, std::move(lowered.program));
      return;
    }
    const Plan plan = compile(std::move(lowered.program), cpu_devices());
    const std::vector<Step> steps = steps_of(graph, plan.program);
    if (options->output.empty())
      std::cout << to_string(steps);
    else
      draw(to_dot(steps, options->width), options->output);
  });
}

}  // namespace gramflow
