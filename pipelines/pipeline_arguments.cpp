#include <CLI/CLI.hpp>
#include <iostream>

#include "framework/base/error.h"
#include "framework/config/read_pipeline.h"
#include "pipelines/commands.h"
#include "pipelines/terminal.h"

namespace gramflow {

void PipelineArguments::add_to(CLI::App& app) {
  app.add_option("FILE", file, "the pipeline (YAML); - for standard input")->required();
  app.add_option("--set", settings,
                 "set a variable or a parameter: size=256, nodes.result.iterations=50; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

PipelineSource PipelineArguments::read() const {
  std::vector<Override> overrides;
  Diagnostics diagnostics;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      const auto text = std::make_shared<SourceFile>("--set " + setting, setting);
      diagnostics
          .error("bad-override", {text, {1, 1}, {1, static_cast<int>(setting.size()) + 1}},
                 "--set takes key=value, found '" + setting + "'")
          .suggest("for example --set style_weight=1e3 or --set nodes.result.iterations=50");
      continue;
    }
    overrides.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
  }
  if (diagnostics.has_errors()) throw InvalidPipeline(std::move(diagnostics));
  if (made != nullptr) return {made, std::move(overrides), {}};
  return read_pipeline(file, std::move(overrides));
}

void print_diagnostics(const Diagnostics& diagnostics, bool json) {
  if (json)
    std::cout << diagnostics.to_json() << '\n';
  else
    std::cerr << diagnostics.render(can_color());
}

}  // namespace gramflow
