// `gramflow schema`: a JSON Schema of pipeline files for editors.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "nodes/networks/network.h"
#include "pipelines/commands.h"
#include "pipelines/json_schema.h"

namespace gramflow {
namespace {

/// Of all networks that come with gramflow or lie in its folders, each name once.
std::vector<std::string> layer_names(NetworkLibrary& library) {
  std::vector<std::string> names;
  for (const auto& network : library.all())
    for (const NetworkLayer& layer : network->layers)
      if (std::find(names.begin(), names.end(), layer.name) == names.end()) names.push_back(layer.name);
  return names;
}

}  // namespace

void add_schema_command(CLI::App& app, Environment& environment, int&) {
  CLI::App* command = app.add_subcommand("schema", "Print a JSON Schema of pipeline files, for editors");
  command->callback(
      [&environment] { std::cout << json_schema(environment.types, layer_names(*environment.library)); });
}

}  // namespace gramflow
