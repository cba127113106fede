#include "nodes/networks/weight_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "framework/base/text.h"
#include "nodes/networks/convention_text.h"
#include "nodes/networks/weights.h"
#include "nodes/weights/checksum.h"
#include "nodes/weights/safetensors.h"
#include "nodes/weights/weight_statistics.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

/// One line about a network; its weights file is added to `seen`.
std::string list_line(const std::string& name, const NetworkPaths& paths, std::set<std::string>& seen) {
  Diagnostics diagnostics;
  const auto network = load_network(name, ".", paths, {}, diagnostics);
  if (!network) return fmt::format("{:<20} broken    {}\n", name, diagnostics.sorted().front().message);
  try {
    const std::string file = locate_weights(*network, paths);
    seen.insert(fs::weakly_canonical(file).string());
    check_weights(*network, file);
    return fmt::format("{:<20} ready     {} ({})\n", name, file, human_bytes(fs::file_size(file)));
  } catch (const MissingResource&) {
    return fmt::format("{:<20} missing   {}\n", name,
                       network->downloads.empty()
                           ? "looked for " + network->weights_file + "; nothing to download"
                           : "gramflow weights get " + name);
  } catch (const std::exception& problem) {
    return fmt::format("{:<20} unusable  {}\n", name, problem.what());
  }
}

std::vector<std::string> other_files(const NetworkPaths& paths, std::set<std::string> seen) {
  std::vector<std::string> files;
  for (const std::string& folder : paths.weight_folders) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
      if (entry.path().extension() == ".safetensors" &&
          seen.insert(fs::weakly_canonical(entry.path()).string()).second)
        files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string file_of(const std::string& what, const NetworkPaths& paths) {
  std::error_code ignored;
  const bool is_network = what.ends_with(".yaml") || what.ends_with(".yml");
  if (!is_network &&
      (fs::exists(what, ignored) || what.ends_with(".safetensors") || what.find('/') != std::string::npos))
    return what;
  Diagnostics diagnostics;
  const auto network = load_network(what, ".", paths, {}, diagnostics);
  if (!network) throw InvalidPipeline(diagnostics);
  return locate_weights(*network, paths);
}

/// Whether the file fits the network it names.
std::string fitness(const SafetensorsFile& file, const NetworkPaths& paths) {
  const auto name = file.metadata().find("network");
  if (name == file.metadata().end()) return "the file does not say for which network it is";
  Diagnostics diagnostics;
  const auto network = load_network(name->second, ".", paths, {}, diagnostics);
  if (!network) return "no network of that name is known here";
  try {
    check_weights(*network, file.path());
  } catch (const std::exception& problem) {
    return fmt::format("does not fit: {}", problem.what());
  }
  return "complete: every tensor that the network needs is there, with its shape";
}

/// `verdicts` counts what the convolutions look like.
std::string tensor_line(const SafetensorsFile& file, const std::string& name, const SafetensorsInfo& info,
                        std::map<std::string, int>& verdicts) {
  const std::string shape = fmt::format("{}", fmt::join(info.shape, "x"));
  std::string line = fmt::format("{:<24} {:<5} {:<14}", printable(name), info.type_name, shape);
  if (info.type == StoredType::other) return line + " not read\n";
  std::vector<float> values;
  try {
    values = file.read(name);
  } catch (const RunError& problem) {
    return line + " " + std::string(problem.what()).substr(file.path().size() + 2) + "\n";
  }
  const WeightStatistics statistics = weight_statistics(values, info.shape.empty() ? 1 : info.shape[0]);
  line += fmt::format(" {:>10.3g} {:>9.3g} {:>9.3g} {:>9.3g}", statistics.mean, statistics.deviation,
                      statistics.smallest, statistics.largest);
  if (info.shape.size() == 4) {
    const std::string verdict = weight_verdict(statistics);
    ++verdicts[verdict];
    line += fmt::format(" {:>8.1f} {:>9.1f}  {}", statistics.kurtosis, statistics.unevenness, verdict);
    if (statistics.silent > 0)
      line += fmt::format(", {} of {} filters are all zero", statistics.silent, statistics.filters);
  }
  return line + "\n";
}

}  // namespace

std::string weights_list_text(const NetworkPaths& paths) {
  std::string text;
  std::set<std::string> seen;
  for (const std::string& name : shipped_networks(paths)) text += list_line(name, paths, seen);
  const std::vector<std::string> others = other_files(paths, seen);
  if (!others.empty()) text += "\nOther weights files in these folders:\n";
  for (const std::string& file : others) text += "  " + file + "\n";
  text += "\nLooked in:\n";
  for (const std::string& folder : paths.weight_folders) text += "  " + folder + "\n";
  return text;
}

std::string weights_info_text(const std::string& what, const NetworkPaths& paths) {
  const SafetensorsFile file(file_of(what, paths));
  std::string text = fmt::format("file          {}\nsize          {}\nSHA-256       {}\n", file.path(),
                                 human_bytes(fs::file_size(file.path())), file_checksums(file.path()).sha256);
  for (const auto& [key, value] : file.metadata())
    text += fmt::format("{:<13} {}\n", printable(key), printable(value));
  if (!file.metadata().contains("convention")) text += "convention    not said; the network's own is used\n";
  text += "fits          " + fitness(file, paths) + "\n\n";
  text += fmt::format("{:<24} {:<5} {:<14} {:>10} {:>9} {:>9} {:>9} {:>8} {:>9}\n", "tensor", "type", "shape",
                      "mean", "deviation", "smallest", "largest", "kurtosis", "uneven");
  std::vector<std::pair<std::uint64_t, std::string>> order;  // as they lie in the file: input first
  for (const auto& [name, info] : file.tensors()) order.emplace_back(info.begin, name);
  std::sort(order.begin(), order.end());
  std::map<std::string, int> verdicts;
  for (const auto& [begin, name] : order) text += tensor_line(file, name, file.tensors().at(name), verdicts);
  std::vector<std::string> counts;
  for (const auto& [verdict, count] : verdicts) counts.push_back(fmt::format("{} {}", count, verdict));
  if (!counts.empty()) text += "\nconvolutions: " + join_words(counts) + "\n";
  text +=
      "\nkurtosis: 1.8 for uniform random numbers, 3 for normal ones; learned weights have more.\n"
      "uneven: how differently strong the filters are, 1 for random numbers.\n";
  return text;
}

}  // namespace gramflow
