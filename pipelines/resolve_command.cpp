// `gramflow resolve`: the canonical pipeline with everything expanded.
#include <CLI/CLI.hpp>
#include <iostream>

#include "framework/base/error.h"
#include "framework/config/expand.h"
#include "framework/exec/compile_stage.h"
#include "pipelines/canonical_pipeline.h"
#include "pipelines/commands.h"

namespace gramflow {

void add_resolve_command(CLI::App& app, Environment& environment, int&) {
  auto arguments = std::make_shared<PipelineArguments>();
  CLI::App* command =
      app.add_subcommand("resolve", "Print the pipeline with variables, includes and subgraphs expanded");
  arguments->add_to(*command);
  command->callback([arguments, &environment] {
    const PipelineSource source = arguments->read();
    Diagnostics diagnostics;
    const Document document = expand(source, 0, diagnostics, port_test(environment.types));
    link(document, environment.types, diagnostics);
    const CanonicalPipeline canonical(source, environment.types, diagnostics);
    if (diagnostics.has_errors()) throw InvalidPipeline(std::move(diagnostics));
    print_diagnostics(diagnostics, false);
    std::cout << canonical.anywhere();
  });
}

}  // namespace gramflow
