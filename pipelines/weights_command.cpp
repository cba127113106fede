#include "pipelines/weights_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <set>

#include "framework/base/error.h"
#include "nodes/features/weights.h"

namespace gramflow {
namespace {

void list_weights(const NetworkPaths& paths) {
  std::set<std::string> names;
  std::error_code ignored;
  for (const std::string& folder : paths.network_folders)
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
      if (entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
  for (const std::string& name : names) {
    Diagnostics diagnostics;
    const auto network = load_network(name, ".", paths, {}, diagnostics);
    if (!network) throw InvalidPipeline(std::move(diagnostics));
    std::string place = "not installed";
    try {
      place = locate_weights(*network, paths);
    } catch (const MissingResource&) {
    }
    fmt::print("{:20} {}\n{:20} {}\n", name, network->summary, "", place);
  }
}

}  // namespace

void add_weights_command(CLI::App& app, const NetworkPaths& paths, int&) {
  CLI::App* command = app.add_subcommand("weights", "Show the weights of networks");
  command->require_subcommand(1);
  command->add_subcommand("list", "List networks and where their weights are")->callback([&paths] { list_weights(paths); });
}

}  // namespace gramflow
