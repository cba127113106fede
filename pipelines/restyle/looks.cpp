#include "pipelines/restyle/looks.h"

#include <algorithm>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/document.h"
#include "framework/config/files.h"
#include "framework/config/pipeline_file.h"
#include "framework/config/read_pipeline.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

std::string styles_folder(const NetworkPaths& paths) {
  std::error_code ignored;
  for (const std::string& networks : paths.network_folders) {
    const fs::path folder = fs::absolute(networks, ignored).lexically_normal().parent_path() / "styles";
    if (fs::is_directory(folder, ignored)) return folder.string();
  }
  throw MissingResource(
      "the folder 'styles' with the looks is missing; it belongs beside that of the networks");
}

}  // namespace

std::vector<std::string> look_names(const NetworkPaths& paths) {
  std::vector<std::string> names;
  for (const std::string& file : yaml_files_in(styles_folder(paths)))
    names.push_back(fs::path(file).stem().string());
  return names;
}

std::string look_file(const std::string& look, const NetworkPaths& paths) {
  std::error_code ignored;
  if (look.ends_with(".yaml") || look.ends_with(".yml")) {
    if (!fs::is_regular_file(look, ignored))
      throw MissingResource("there is no file '" + one_line(look) + "'");
    return fs::absolute(look, ignored).lexically_normal().string();
  }
  const std::vector<std::string> names = look_names(paths);
  if (std::find(names.begin(), names.end(), look) == names.end()) {
    Diagnostics found;
    const std::string near = did_you_mean(look, names);
    found
        .error("bad-argument", {},
               "there is no look '" + one_line(look) + "'; there are " + join_words(names))
        .suggest(near.empty() ? "a file of your own may be given, too: --look my-look.yaml" : near);
    throw InvalidPipeline(std::move(found));
  }
  return styles_folder(paths) + "/" + look + ".yaml";
}

bool has_variable(const std::string& file, const std::string& name) {
  Diagnostics ignored;
  return read_declarations(read_pipeline(file), ignored).variables.contains(name);
}

}  // namespace gramflow
