#pragma once
// One function a command; main.cpp puts them together. Each adds its options to `app` and a callback that
// does the work and leaves the exit code in `result`: 0 done, 1 run failed, 2 bad pipeline or arguments, 3
// something missing, 130 interrupted.
#include <memory>
#include <string>
#include <vector>

#include "framework/config/document.h"
#include "nodes/standard_nodes.h"

namespace CLI {
class App;
}

namespace gramflow {

/// The node types and the networks behind them.
struct Environment {
  std::shared_ptr<NetworkLibrary> library = std::make_shared<NetworkLibrary>(NetworkPaths::standard());
  NodeTypes types = standard_nodes(library);
};

/// FILE and --set, the same for every command.
struct PipelineArguments {
  std::string file;
  std::vector<std::string> settings;       ///< "key=value"
  std::shared_ptr<const SourceFile> made;  ///< a text that takes the place of FILE, when a command made one
  void add_to(CLI::App& app);
  /// Throws InvalidPipeline for a --set without '='.
  PipelineSource read() const;
};

/// As `gramflow run` does.
void run_made_pipeline(PipelineArguments pipeline, int threads, bool quiet, Environment& environment);

void add_restyle_command(CLI::App& app, Environment& environment, int& result);
void add_run_command(CLI::App& app, Environment& environment, int& result);
/// With `json` nothing but the findings is printed, as an array.
void add_check_command(CLI::App& app, Environment& environment, const bool& json);
void add_explain_command(CLI::App& app);
void add_nodes_command(CLI::App& app, Environment& environment, int& result);
void add_graph_command(CLI::App& app, Environment& environment, int& result);
void add_resolve_command(CLI::App& app, Environment& environment, int& result);
void add_schema_command(CLI::App& app, Environment& environment, int& result);
void add_bench_command(CLI::App& app, Environment& environment, int& result);

/// Prints warnings and errors to the standard error stream, coloured on a terminal, or as JSON.
void print_diagnostics(const Diagnostics& diagnostics, bool json);

}  // namespace gramflow
