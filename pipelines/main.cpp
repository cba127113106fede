// The gramflow program.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <new>
#include <sstream>
#include <system_error>

#include "framework/base/available_memory.h"
#include "framework/base/error.h"
#include "framework/base/terminal_text.h"
#include "framework/base/text.h"
#include "pipelines/commands.h"
#include "pipelines/standard_streams.h"
#include "pipelines/typing_mistakes.h"
#include "pipelines/weights_command.h"

namespace {

/// 2 for mistakes; 3 and 1 when nothing is wrong but a file.
int exit_code(const gramflow::Diagnostics& found) {
  bool missing = false;
  for (const gramflow::Diagnostic& item : found.all()) {
    if (item.severity == gramflow::Severity::warning) continue;
    if (item.code == "missing-file")
      missing = true;
    else if (item.code != "unreadable-file")
      return 2;
  }
  return missing ? 3 : 1;
}

/// What has no place in a pipeline: as it was said, or as an array of one.
void print_failure(const gramflow::Diagnostics& found, bool json) {
  if (json)
    gramflow::print_diagnostics(found, true);
  else
    std::cerr << "gramflow: " << gramflow::terminal_text(found.all().front().message) << '\n';
}

/// CLI11's own texts may quote what was typed.
int print_parse_result(const CLI::App& app, const CLI::ParseError& problem) {
  std::ostringstream out, err;
  const int code = app.exit(problem, out, err);
  std::cout << out.str();
  std::cerr << gramflow::terminal_text(err.str());
  return code == 0 ? 0 : 2;
}

int run_program(int argc, char** argv) {
  using namespace gramflow;
  CLI::App app("gramflow: dataflow pipelines for imaging by optimisation");
  app.set_version_flag("--version", "gramflow " GRAMFLOW_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 run failed, 2 bad pipeline or arguments, 3 something missing, 130 interrupted.");
  bool json_diagnostics = false;
  const auto add_diagnostics_option = [&](CLI::App* command) {
    command
        ->add_option_function<std::string>(
            "--diagnostics", [&](const std::string& format) { json_diagnostics = format == "json"; },
            "how to print mistakes: text or json")
        ->check(CLI::IsMember({"text", "json"}));
  };
  Environment environment;
  int result = 0;
  add_restyle_command(app, environment, result);
  add_run_command(app, environment, result);
  add_check_command(app, environment, json_diagnostics);
  add_explain_command(app);
  add_nodes_command(app, environment, result);
  add_graph_command(app, environment, result);
  add_resolve_command(app, environment, result);
  add_schema_command(app, environment, result);
  add_bench_command(app, environment, result);
  add_weights_command(app, environment.library->paths(), result);
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (command->get_option_no_throw("FILE") != nullptr && command->get_name() != "weights")
      add_diagnostics_option(command);
  try {
    app.parse(argc, argv);
    return result;
  } catch (const CLI::ParseError& problem) {
    if (const std::string unknown = gramflow::unknown_command(app, argc, argv); !unknown.empty()) {
      std::cerr << terminal_text(unknown);
      return 2;
    }
    if (const std::string unknown = gramflow::unknown_words(app); !unknown.empty()) {
      std::cerr << terminal_text(unknown);
      return 2;
    }
    return print_parse_result(app, problem);
  } catch (const InvalidPipeline& problem) {
    print_diagnostics(problem.diagnostics(), json_diagnostics);
    return exit_code(problem.diagnostics());
  } catch (const MissingResource& problem) {
    Diagnostics found;
    found.error("missing-file", {}, problem.what());
    print_failure(found, json_diagnostics);
    return 3;
  } catch (const Interrupted&) {
    return 130;
  } catch (const std::system_error& problem) {
    const bool threads = problem.code() == std::errc::resource_unavailable_try_again;
    Diagnostics found;
    found.error(threads ? "missing-file" : "unreadable-file", {},
                threads
                    ? "not enough threads can be started here; raise the limit on processes (ulimit -u, or "
                      "pids.max of the container), or on memory: " +
                          human_bytes(available_memory().bytes) + " are " + available_memory().limit
                    : problem.what());
    print_failure(found, json_diagnostics);
    return threads ? 3 : 1;
  } catch (const std::bad_alloc&) {
    Diagnostics found;
    found.error("missing-file", {},
                "there is not enough memory; " + human_bytes(available_memory().bytes) + " are " +
                    available_memory().limit +
                    ". A smaller 'size' needs less; gramflow check FILE says how much");
    print_failure(found, json_diagnostics);
    return 3;
  } catch (const std::exception& problem) {
    Diagnostics found;
    found.error("unreadable-file", {}, problem.what());
    print_failure(found, json_diagnostics);
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  gramflow::open_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of writing, not an end
  const int result = run_program(argc, argv);
  const std::string problem = gramflow::flush_standard_output();
  if (!problem.empty()) std::cerr << "gramflow: " << problem << '\n';
  return result == 0 && !problem.empty() ? 1 : result;
}
