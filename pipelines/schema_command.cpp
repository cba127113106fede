// `gramflow schema`: a JSON Schema of pipeline files for editors.
#include <CLI/CLI.hpp>
#include <iostream>

#include "pipelines/commands.h"
#include "pipelines/json_schema.h"

namespace gramflow {

void add_schema_command(CLI::App& app, Environment& environment, int&) {
  CLI::App* command = app.add_subcommand("schema", "Print a JSON Schema of pipeline files, for editors");
  command->callback([&environment] { std::cout << json_schema(environment.types); });
}

}  // namespace gramflow
