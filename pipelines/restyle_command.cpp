// `gramflow restyle`: a photo in the manner of a painting, without writing a pipeline. It stands for a short pipeline
// file that includes a look of configs/styles and says what the command line said; --print shows it.
#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/variables.h"
#include "framework/config/yaml_writer.h"
#include "framework/exec/run_stages.h"
#include "nodes/image/picture_io.h"
#include "pipelines/commands.h"
#include "pipelines/interruption.h"
#include "pipelines/restyle/looks.h"
#include "pipelines/restyle/proof_sheet.h"
#include "pipelines/thread_choice.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

constexpr int proof_size = 256;

struct RestyleOptions {
  std::string content;
  std::string style;
  std::string output;
  std::vector<std::string> looks;
  std::optional<int> size;
  std::vector<double> strokes;
  bool print = false;
  bool proof = false;
  int threads = 0;
  bool quiet = false;
};

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  Diagnostics found;
  found.error("bad-argument", {}, message).suggest(hint);
  throw InvalidPipeline(std::move(found));
}

/// As an absolute path, so that the pipeline means the same wherever it is put.
std::string picture_file(const std::string& path) {
  std::error_code failed;
  if (fs::is_directory(path, failed))
    refuse("'" + one_line(path) + "' is a folder", "name one picture in it");
  if (!fs::exists(path, failed)) {
    std::vector<std::string> names;
    const fs::path folder = fs::path(path).parent_path();
    for (fs::directory_iterator file(folder.empty() ? "." : folder, failed), end; !failed && file != end;
         file.increment(failed))
      names.push_back((folder / file->path().filename()).string());
    const std::string near = did_you_mean(path, names);
    throw MissingResource("there is no picture '" + one_line(path) + "'" + (near.empty() ? "" : "; " + near));
  }
  return fs::absolute(path, failed).lexically_normal().string();
}

/// "photo-strokes.png" in the current folder, or with a number where there is something of that name.
std::string free_name(const std::string& content, const std::string& what) {
  const std::string stem = fs::path(content).stem().string() + "-" + what;
  std::string name = stem + ".png";
  std::error_code failed;
  for (int number = 2; fs::symlink_status(name, failed).type() != fs::file_type::not_found; ++number)
    name = fmt::format("{}-{}.png", stem, number);
  return name;
}

/// The short pipeline file that a restyle stands for.
std::string pipeline_text(const RestyleOptions& options, const std::string& look_path,
                          std::optional<int> size, std::optional<double> stroke, const std::string& output) {
  const auto scalar = [](std::string text, bool quoted = false) {
    auto value = std::make_shared<Value>();
    value->data = Value::Scalar{std::move(text), quoted};
    return value;
  };
  const auto text = [&](const std::string& words) { return scalar(escape_dollars(words), true); };
  Value::Map vars = {{"content", {}, text(picture_file(options.content))},
                     {"style", {}, text(picture_file(options.style))}};
  if (size) vars.push_back({"size", {}, scalar(fmt::format("{}", *size))});
  if (stroke) vars.push_back({"stroke", {}, scalar(fmt::format("{}", *stroke))});
  vars.push_back({"output", {}, text(output)});
  auto map = std::make_shared<Value>();
  map->data = std::move(vars);
  auto root = std::make_shared<Value>();
  root->data =
      Value::Map{{"version", {}, scalar("1")}, {"include", {}, scalar(look_path, true)}, {"vars", {}, map}};
  return to_yaml(*root);
}

std::shared_ptr<const SourceFile> source_of(const std::string& text) {
  return SourceFile::typed("<restyle>", text, "<restyle>");
}

/// A look that has no such variable would leave the option without effect.
void expect_variable(const std::string& look, const std::string& file, const char* name, const char* option) {
  if (has_variable(file, name)) return;
  refuse(fmt::format("the look '{}' has no '{}', so {} cannot be given", one_line(look), name, option),
         "leave it away, or take another look: strokes has it");
}

/// A folder of one's own that goes with what is in it.
class TemporaryPlace {
 public:
  TemporaryPlace() : folder_((fs::temp_directory_path() / "gramflow-proof-XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) throw RunError(folder_ + ": cannot be made");
  }
  ~TemporaryPlace() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  TemporaryPlace(const TemporaryPlace&) = delete;
  TemporaryPlace& operator=(const TemporaryPlace&) = delete;
  fs::path folder() const { return folder_; }

 private:
  std::string folder_;
};

class ProofMaker {
 public:
  ProofMaker(const RestyleOptions& options, Environment& environment)
      : options_(options), environment_(environment) {}

  void run() {
    std::vector<std::string> looks = options_.looks;
    if (looks.empty()) looks = {"fine", "strokes", "bold", "neighbors"};
    std::vector<double> strokes = options_.strokes;
    if (strokes.empty()) strokes = {0.5, 1, 2};
    const std::string output =
        options_.output.empty() ? free_name(options_.content, "proof") : options_.output;
    check_writable(output);
    for (const std::string& look : looks) {
      const std::string file = look_file(look, environment_.library->paths());
      expect_variable(look, file, "stroke", "--stroke");
      expect_variable(look, file, "size", "--size");
    }
    const std::size_t count = looks.size() * strokes.size();
    std::vector<Proof> proofs;
    for (const double stroke : strokes)
      for (const std::string& look : looks) {
        const std::string name = fs::path(look).stem().string();
        if (!options_.quiet)
          std::cerr << fmt::format("proof {} of {}: {}, stroke {}\n", proofs.size() + 1, count, name, stroke);
        proofs.push_back({make(look, stroke), fmt::format("{} {}", name, stroke)});
      }
    write_picture(output, proof_sheet(proofs, looks.size()));
    if (!options_.quiet) std::cerr << "saved " << output << '\n';
  }

 private:
  /// The finished canvas of the last optimiser is not the picture, a later node may change it; so it is saved and read.
  Picture make(const std::string& look, double stroke) {
    const TemporaryPlace place;
    const fs::path file = place.folder() / "proof.png";
    const std::string text = pipeline_text(options_, look_file(look, environment_.library->paths()),
                                           options_.size.value_or(proof_size), stroke, file.string());
    Diagnostics warnings;
    auto stages = compile_stages({source_of(text), {}, {}}, environment_.types, warnings,
                                 threads_for_command(options_.threads, true));
    RunOptions run;
    run.stop = &interruption_.requested();
    run_stages(std::move(stages), run);
    return read_picture(file.string());
  }

  Interruption interruption_;
  const RestyleOptions& options_;
  Environment& environment_;
};

void restyle(const RestyleOptions& options, Environment& environment) {
  if (options.proof && options.print)
    refuse("--proof makes many pictures, and --print is for one", "leave one of them away");
  if (options.proof) {
    ProofMaker(options, environment).run();
    return;
  }
  if (options.looks.size() > 1 || options.strokes.size() > 1)
    refuse("one picture has one look and one stroke", "several of them go onto a sheet with --proof");
  const std::string look = options.looks.empty() ? "strokes" : options.looks[0];
  const std::string file = look_file(look, environment.library->paths());
  std::optional<double> stroke;
  if (!options.strokes.empty()) stroke = options.strokes[0];
  if (stroke) expect_variable(look, file, "stroke", "--stroke");
  if (options.size) expect_variable(look, file, "size", "--size");
  const std::string output =
      options.output.empty() ? free_name(options.content, fs::path(look).stem().string()) : options.output;
  const std::string text = pipeline_text(options, file, options.size, stroke, output);
  if (options.print) {
    std::cout << text;
    return;
  }
  PipelineArguments pipeline;
  pipeline.file = "<restyle>";
  pipeline.made = source_of(text);
  run_made_pipeline(std::move(pipeline), options.threads, options.quiet, environment);
}

}  // namespace

void add_restyle_command(CLI::App& app, Environment& environment, int&) {
  auto options = std::make_shared<RestyleOptions>();
  CLI::App* command =
      app.add_subcommand("restyle", "Repaint a photo in the manner of a painting, without a pipeline");
  command->add_option("CONTENT", options->content, "the photo")->required();
  command->add_option("STYLE", options->style, "the painting")->required();
  command
      ->add_option(
          "-o,--output", options->output,
          "file to write; default: CONTENT-LOOK.png in the current folder, with a number where that is taken")
      ->type_name("FILE");
  command
      ->add_option(
          "--look", options->looks,
          "strokes (default), fine, bold, neighbors ..., or a file of your own; with --proof several")
      ->type_name("LOOK")
      ->delimiter(',');
  command
      ->add_option("--size", options->size, "longest side of the result in pixels; default: the look's, 512")
      ->check(CLI::Range(1, 65536));
  command
      ->add_option("--stroke", options->strokes,
                   "how large strokes are: 1 is a painting as long as the result, 0.5 half of that; with "
                   "--proof several")
      ->type_name("NUMBER")
      ->delimiter(',')
      ->check(CLI::Range(0.05, 20.0));
  command->add_flag("--print", options->print, "print the pipeline file that this stands for, run nothing");
  command->add_flag("--proof", options->proof,
                    "small variants, looks by strokes, on one labelled sheet: to choose before a long run");
  command->add_option("--threads", options->threads, "threads to use (0: all cores)")
      ->check(CLI::Range(0, 4096));
  command->add_flag("--quiet", options->quiet, "print nothing but errors");
  command->callback([options, &environment] { restyle(*options, environment); });
}

}  // namespace gramflow
