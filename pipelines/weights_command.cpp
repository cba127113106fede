// `gramflow weights`: list, info, import, get.
#include "pipelines/weights_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "nodes/fetch/download_line.h"
#include "nodes/fetch/get_weights.h"
#include "nodes/import/import_weights.h"
#include "nodes/networks/weight_report.h"

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

/// One line that is drawn over on a terminal; in a log, lines for large files only.
class ImportDisplay {
 public:
  void show(const std::string& what, std::uint64_t done, std::uint64_t total) {
    constexpr std::uint64_t large = 64U << 20;
    if (total < (terminal_ ? large / 16 : large)) return;
    const int percent = static_cast<int>(done * 100 / total);
    const std::string stage = what.substr(0, what.find(' '));
    if (terminal_ ? percent == shown_ && stage == stage_ : percent / 25 == shown_ / 25 && stage == stage_)
      return;
    shown_ = percent;
    stage_ = stage;
    std::cerr << (terminal_ ? "\r" : "") << what << "  " << percent << " %" << (terminal_ ? "\x1b[K" : "\n")
              << std::flush;
    open_ = terminal_;
  }
  void finish() {
    if (open_) std::cerr << "\r\x1b[K" << std::flush;
    open_ = false;
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool open_ = false;
  int shown_ = -1;
  std::string stage_;
};

void add_import(CLI::App& weights, const NetworkPaths& paths) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command =
      weights.add_subcommand("import", "Convert weights of PyTorch, Keras, Caffe, MatConvNet, ONNX or numpy");
  command->add_option("FILE", options->file, "recognised by its content, not by its name")->required();
  command->add_option("-o,--output", options->output, "the .safetensors file to write")->required();
  command->add_option("--network", options->network, "a network or a .yaml; default: the only one that fits");
  command->add_option(
      "--prefix", options->prefix,
      "of the set of tensors that is meant, when several fit: ema., generator., \"\" for none");
  command->add_option(
      "--convention", options->convention,
      "torchvision, caffe, matconvnet or network: what input the weights want; default: by the kind of file");
  command->add_flag("--f16", options->half, "store half precision: half the size, three digits");
  command->callback([options, &paths] {
    ImportDisplay display;
    options->progress = [&](const std::string& what, std::uint64_t done, std::uint64_t total) {
      display.show(what, done, total);
    };
    try {
      const std::string text = import_weights(*options, paths).text();
      display.finish();
      std::cout << text;
    } catch (...) {
      display.finish();
      throw;
    }
  });
}

/// One line that is drawn over on a terminal; in a log, a line for every tenth.
class ProgressDisplay {
 public:
  void show(const std::string& url, const DownloadProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (url != url_) {
      url_ = url;
      begin_ = now;
      first_ = progress.done;
      tenth_ = -1;
      finish();
      std::cerr << "downloading " << url << '\n';
    }
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    const std::string line =
        progress_line(progress, seconds, progress.done - std::min(first_, progress.done));
    if (terminal_) {
      std::cerr << '\r' << line << "\x1b[K" << std::flush;
      open_ = true;
      return;
    }
    const int tenth = progress.total > 0 ? static_cast<int>(progress.done * 10 / progress.total) : 0;
    if (tenth == tenth_) return;
    tenth_ = tenth;
    std::cerr << line << '\n';
  }
  void finish() {
    if (open_) std::cerr << '\n';
    open_ = false;
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool open_ = false;
  std::string url_;
  std::chrono::steady_clock::time_point begin_;
  std::uint64_t first_ = 0;
  int tenth_ = -1;
};

void add_get(CLI::App& weights, const NetworkPaths& paths) {
  auto options = std::make_shared<GetOptions>();
  CLI::App* command =
      weights.add_subcommand("get", "Download the weights of a network, verify, convert and install them");
  command->add_option("NETWORK", options->network, "for example vgg19")->required();
  command->add_option("--from", options->from, "a mirror's address, or a file brought by other means");
  command->add_flag("--f16", options->half, "store half precision: half the size, three digits");
  command->add_flag("--again", options->again, "even if they are installed");
  command->callback([options, &paths] {
    ProgressDisplay display;
    options->progress = [&](const std::string& url, const DownloadProgress& progress) {
      display.show(url, progress);
    };
    try {
      const std::string text = get_weights(*options, paths);
      display.finish();
      std::cout << text;
    } catch (...) {
      display.finish();
      throw;
    }
  });
}

}  // namespace

void add_weights_command(CLI::App& app, const NetworkPaths& paths, int& result) {
  CLI::App* weights = app.add_subcommand("weights", "List, look at, convert and download weights");
  weights->require_subcommand(1);
  add_list(*weights, paths);
  add_info(*weights, paths);
  add_import(*weights, paths);
  add_get(*weights, paths);
  static_cast<void>(result);  // every failure is an exception
}

}  // namespace gramflow
