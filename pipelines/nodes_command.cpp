// `gramflow nodes`: what node types there are and what each takes.
#include <CLI/CLI.hpp>
#include <iostream>

#include "framework/base/terminal_text.h"
#include "framework/base/text.h"
#include "pipelines/commands.h"
#include "pipelines/node_pages.h"

namespace gramflow {

void add_nodes_command(CLI::App& app, Environment& environment, int& result) {
  struct Options {
    std::string type;
    bool json = false;
    std::string pages;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("nodes", "List node types, or describe one");
  command->add_option("TYPE", options->type, "a node type, for example StyleLoss");
  command->add_flag("--json", options->json, "for machines");
  command->add_option("--pages", options->pages, "write the reference pages (Markdown) into this folder");
  command->callback([options, &environment, &result] {
    if (!options->pages.empty()) {
      write_node_pages(environment.types, options->pages);
      return;
    }
    if (options->type.empty()) {
      std::cout << (options->json ? nodes_json(environment.types) : node_list(environment.types));
      return;
    }
    const NodeType* type = find_type(environment.types, options->type);
    if (type == nullptr) {
      std::vector<std::string> names;
      for (const NodeType& candidate : environment.types) names.push_back(candidate.name);
      const std::string hint = did_you_mean(options->type, names);
      std::cerr << "gramflow: there is no node type '" << terminal_text(options->type) << "'; "
                << (hint.empty() ? "there are " + join_words(names) : hint) << '\n';
      result = 2;
      return;
    }
    std::cout << (options->json ? node_json(*type) : node_text(*type));
  });
}

}  // namespace gramflow
