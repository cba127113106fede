// `gramflow weights`: list, info, import, get.
#include "pipelines/weights_command.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "nodes/features/weight_report.h"

namespace gramflow {
namespace {

void add_list(CLI::App& weights, const NetworkPaths& paths) {
  CLI::App* command = weights.add_subcommand("list", "Networks, and where their weights are");
  command->callback([&paths] { std::cout << weights_list_text(paths); });
}

void add_info(CLI::App& weights, const NetworkPaths& paths) {
  auto what = std::make_shared<std::string>();
  CLI::App* command =
      weights.add_subcommand("info", "What a weights file holds, and whether it looks trained");
  command->add_option("WHAT", *what, "a .safetensors file, or a network whose weights are meant")->required();
  command->callback([what, &paths] { std::cout << weights_info_text(*what, paths); });
}

}  // namespace

void add_weights_command(CLI::App& app, const NetworkPaths& paths, int& result) {
  CLI::App* weights = app.add_subcommand("weights", "List, look at, convert and download weights");
  weights->require_subcommand(1);
  add_list(*weights, paths);
  add_info(*weights, paths);
  static_cast<void>(result);
}

}  // namespace gramflow
