#include "pipelines/typing_mistakes.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/pipeline_file.h"
#include "framework/config/read_pipeline.h"

namespace gramflow {
namespace {

/// What the command's file can be told with --set; nothing when there is no such file.
std::vector<std::string> variables_of(const CLI::App& command) {
  const CLI::Option* file = command.get_option_no_throw("FILE");
  if (file == nullptr || file->results().empty() || file->results().front() == "-") return {};
  try {
    Diagnostics ignored;
    return read_declarations(read_pipeline(file->results().front()), ignored).main_variables;
  } catch (const std::exception&) {
    return {};
  }
}

/// "did you mean '--set size=96'?", with a key that the file has.
std::string forgotten_set(const CLI::App& command, const std::string& word) {
  const std::string key = word.substr(0, word.find('='));
  const std::vector<std::string> variables = variables_of(command);
  const bool known = variables.empty() || key.starts_with("nodes.") ||
                     std::find(variables.begin(), variables.end(), key) != variables.end();
  const std::string meant = known ? key : closest_match(key, variables);
  if (meant.empty()) return "--set can set " + join_words(variables);
  return "did you mean '--set " + meant + word.substr(key.size()) + "'?";
}

}  // namespace

std::string unknown_command(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  const std::string word = argv[1];
  if (std::find(names.begin(), names.end(), word) != names.end()) return "";
  if (word.ends_with(".yaml") || word.ends_with(".yml"))
    return "gramflow: '" + word + "' is a file, not a command; to run it: gramflow run " + word + "\n";
  const std::string hint = did_you_mean(word, names);
  return "gramflow: there is no command '" + word + "'; " +
         (hint.empty() ? "there are " + join_words(names) : hint) + "\n";
}

std::string unknown_words(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : app.get_subcommands()) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command->get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& word : command->remaining()) {
      if (word.starts_with("--")) {
        const std::string hint = did_you_mean(word.substr(0, word.find('=')), names);
        text += "gramflow " + command->get_name() + ": there is no option '" + word + "'; " +
                (hint.empty() ? "there are " + join_words(names) : hint) + "\n";
      } else if (word.find('=') != std::string::npos) {
        text += "gramflow " + command->get_name() + ": '" + word + "' is not expected; " +
                forgotten_set(*command, word) + "\n";
      }
    }
  }
  return text;
}

}  // namespace gramflow
