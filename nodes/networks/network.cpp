#include "nodes/networks/network.h"

#include <filesystem>
#include <set>

#include "framework/base/text.h"
#include "nodes/networks/network_file.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

std::shared_ptr<const Network> load_by_path(const std::string& name, const std::string& directory, Span where,
                                            Diagnostics& diagnostics) {
  std::error_code ignored;
  const fs::path beside = (fs::path(directory) / name).lexically_normal();
  for (const fs::path& candidate : {beside, fs::path(name)})
    if (fs::is_regular_file(candidate, ignored)) return read_network_file(candidate.string(), diagnostics);
  Diagnostic& diagnostic =
      diagnostics.error("unknown-network", std::move(where), "there is no network file '" + name + "'");
  diagnostic.suggest("a path is relative to the pipeline's folder or the current one");
  diagnostic.note("looked for " + beside.string());
  if (beside != fs::path(name)) diagnostic.note("looked for " + name);
  return nullptr;
}

}  // namespace

int Network::find(std::string_view layer) const {
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (layers[i].name == layer) return static_cast<int>(i);
  return -1;
}

std::vector<std::string> Network::layer_names() const {
  std::vector<std::string> names;
  for (const NetworkLayer& layer : layers) names.push_back(layer.name);
  return names;
}

std::vector<std::string> shipped_networks(const NetworkPaths& paths) {
  std::set<std::string> names;
  for (const std::string& folder : paths.network_folders) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
      if (entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

bool is_network_path(std::string_view name) {
  for (const char* ending : {".safetensors", ".pth", ".pt", ".h5", ".hdf5"})
    if (name.ends_with(ending)) return false;  // weights, which load_network() has words for
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.find('/') != std::string_view::npos;
}

std::shared_ptr<const Network> load_network(const std::string& name, const std::string& directory,
                                            const NetworkPaths& paths, Span where, Diagnostics& diagnostics) {
  for (const char* ending : {".safetensors", ".pth", ".pt", ".h5", ".hdf5"})
    if (name.ends_with(ending)) {
      diagnostics
          .error("unknown-network", std::move(where),
                 "'" + name + "' is a weights file; 'network' takes a network, whose file names its weights")
          .suggest("gramflow weights info FILE tells whose weights they are");
      return nullptr;
    }
  if (is_network_path(name)) return load_by_path(name, directory, std::move(where), diagnostics);
  std::error_code ignored;
  for (const std::string& folder : paths.network_folders) {
    const fs::path candidate = fs::path(folder) / (name + ".yaml");
    if (fs::is_regular_file(candidate, ignored)) return read_network_file(candidate.string(), diagnostics);
  }
  const std::vector<std::string> names = shipped_networks(paths);
  const std::string hint = did_you_mean(name, names);
  Diagnostic& diagnostic =
      diagnostics.error("unknown-network", std::move(where), "there is no network '" + name + "'");
  diagnostic.suggest(!hint.empty() ? hint : names.empty() ? "" : "there are " + join_words(names));
  for (const std::string& folder : paths.network_folders) diagnostic.note("looked in " + folder);
  return nullptr;
}

}  // namespace gramflow
