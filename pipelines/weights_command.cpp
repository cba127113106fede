// `gramflow weights`: list, info, import, get.
#include "pipelines/weights_command.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "nodes/features/import/import_weights.h"
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

void add_import(CLI::App& weights, const NetworkPaths& paths) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = weights.add_subcommand("import", "Convert Keras .h5, PyTorch .pth or .safetensors weights");
  command->add_option("FILE", options->file, "recognised by its content, not by its name")->required();
  command->add_option("-o,--output", options->output, "the .safetensors file to write")->required();
  command->add_option("--network", options->network, "a network or a .yaml; default: the one whose shapes fit");
  command->add_option("--convention", options->convention,
                      "torchvision, caffe or network: what input the weights want; default: by the kind of file");
  command->add_flag("--f16", options->half, "store half precision: half the size, three digits");
  command->callback([options, &paths] { std::cout << import_weights(*options, paths).text(); });
}

}  // namespace

void add_weights_command(CLI::App& app, const NetworkPaths& paths, int& result) {
  CLI::App* weights = app.add_subcommand("weights", "List, look at, convert and download weights");
  weights->require_subcommand(1);
  add_list(*weights, paths);
  add_info(*weights, paths);
  add_import(*weights, paths);
  static_cast<void>(result);
}

}  // namespace gramflow
