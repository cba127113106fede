// The kind of file says the convention: Keras's VGGs are Caffe's (BGR of 0 to 255 minus the mean),
// torchvision's and timm's were trained on normalised RGB. Networks with another convention are not even
// candidates; among the rest the one with the most layers that are all there wins.
#include "nodes/features/import/choose_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "nodes/features/convention_text.h"
#include "nodes/features/printable.h"

namespace gramflow {
namespace {

std::shared_ptr<const Network> named_network(const std::string& name, const NetworkPaths& paths) {
  Diagnostics diagnostics;
  auto network = load_network(name, ".", paths, {}, diagnostics);
  if (!network) throw InvalidPipeline(diagnostics);
  return network;
}

std::vector<std::shared_ptr<const Network>> all_networks(const NetworkPaths& paths) {
  std::vector<std::shared_ptr<const Network>> networks;
  for (const std::string& name : shipped_networks(paths)) {
    Diagnostics ignored;
    if (auto network = load_network(name, ".", paths, {}, ignored)) networks.push_back(std::move(network));
  }
  return networks;
}

std::string names_in(const TensorSource& source) {
  constexpr std::size_t most_shown = 60;
  std::vector<std::string> lines;
  for (const SourceTensor& tensor : source.tensors()) {
    if (lines.size() == most_shown) break;
    lines.push_back(
        fmt::format("  {} {} [{}]", printable(tensor.name), tensor.type, fmt::join(tensor.shape, ", ")));
  }
  if (lines.empty()) return "  nothing";
  if (source.tensors().size() > most_shown)
    lines.push_back(fmt::format("  and {} more", source.tensors().size() - most_shown));
  return fmt::format("{}", fmt::join(lines, "\n"));
}

struct Convention {
  std::optional<InputConvention> known;  // empty: whatever the network says
  std::string reason;
};

Convention convention_of(const ImportOptions& options, const TensorSource& source, Naming naming) {
  if (options.convention == "torchvision") return {torchvision_convention(), "as you said"};
  if (options.convention == "caffe") return {caffe_convention(), "as you said"};
  if (options.convention == "network") return {std::nullopt, "the network's, as you said"};
  if (!options.convention.empty())
    throw RunError("--convention takes torchvision, caffe or network, found '" + options.convention + "'");
  if (const std::string text = source.metadata("convention"); !text.empty()) {
    const auto convention = parse_convention(text);
    if (!convention)
      throw RunError(options.file + ": its metadata 'convention' cannot be understood: " + printable(text));
    return {convention, "the file says so"};
  }
  if (naming == Naming::keras) return {caffe_convention(), "as all VGGs of Keras"};
  if (naming == Naming::torchvision) return {torchvision_convention(), "as all VGGs of torchvision and timm"};
  throw RunError(options.file +
                 ": nothing in the file says whether it wants normalised RGB or BGR of 0 to 255, and "
                 "guessing wrong ruins every "
                 "picture; say --convention torchvision, caffe or network");
}

std::string naming_text(Naming naming) {
  switch (naming) {
    case Naming::keras:
      return "Keras's layer names (block1_conv1)";
    case Naming::torchvision:
      return "torchvision's names (features.0.weight)";
    case Naming::own:
      return "plain names (conv1_1.weight)";
  }
  return "";
}

[[noreturn]] void fail_incomplete(const ImportOptions& options, const TensorSource& source,
                                  const Network& network, const NetworkMatch& match) {
  throw RunError(fmt::format("{}: does not fit network '{}':\n  {}\nThe file has:\n{}", options.file,
                             network.name, fmt::join(match.problems, "\n  "), names_in(source)));
}

[[noreturn]] void fail_convention(const ImportOptions& options, const Network& network,
                                  const Convention& convention, const NetworkPaths& paths) {
  std::vector<std::string> fitting;
  for (const auto& other : all_networks(paths))
    if (other->trained_input() == *convention.known) fitting.push_back(other->name);
  throw RunError(
      fmt::format("{}: its weights want another input than network '{}' gives\n  the weights: {} ({})\n  the "
                  "network: {}\n"
                  "  networks with the weights' input: {}\n  if you know better: --convention network",
                  options.file, network.name, convention_text(*convention.known), convention.reason,
                  convention_text(network.trained_input()), fitting.empty() ? "none" : join_words(fitting)));
}

}  // namespace

NetworkChoice choose_network(const ImportOptions& options, const TensorSource& source,
                             const NetworkPaths& paths) {
  std::shared_ptr<const Network> asked;
  if (!options.network.empty()) asked = named_network(options.network, paths);
  std::optional<Naming> naming = recognise_naming(source);
  // A network of one's own may have names of any kind.
  if (!naming && asked && match_network(*asked, source, Naming::own).layers.size() > 0) naming = Naming::own;
  if (!naming)
    throw RunError(fmt::format(
        "{}: is {}, but its names are of no known kind (features.0.weight, block1_conv1, conv1_1.weight).\n"
        "The file has:\n{}\nA network file of your own can map names: see docs/networks.md",
        options.file, source.format_text(), names_in(source)));
  const Convention convention = convention_of(options, source, *naming);
  std::vector<std::shared_ptr<const Network>> candidates;
  if (asked) {
    candidates = {asked};
  } else if (const std::string name = source.metadata("network"); !name.empty()) {
    candidates = {named_network(name, paths)};
  } else {
    for (auto& network : all_networks(paths))
      if (!convention.known || network->trained_input() == *convention.known)
        candidates.push_back(std::move(network));
  }
  if (candidates.empty() && shipped_networks(paths).empty())
    throw RunError("no network files were found to compare " + options.file +
                   " with; set GRAMFLOW_PATH to their folder");
  if (candidates.empty())
    throw RunError(options.file + ": no network here wants its input, " + convention_text(*convention.known));

  NetworkChoice best;
  bool tie = false;
  for (const auto& network : candidates) {
    NetworkMatch match = match_network(*network, source, *naming);
    // A complete match beats any other; then the number of layers counts.
    const auto rank = [](const NetworkMatch& m) { return std::pair(m.problems.empty(), m.layers.size()); };
    tie = best.network && rank(match) == rank(best.match);
    if (!best.network || rank(match) > rank(best.match)) best = {network, std::move(match), "", "", *naming};
  }
  const Network& network = *best.network;
  if (!best.match.problems.empty()) fail_incomplete(options, source, network, best.match);
  if (tie) throw RunError(options.file + ": fits more than one network; say which: --network NAME");
  if (convention.known && *convention.known != network.trained_input())
    fail_convention(options, network, convention, paths);
  best.format = source.format_text() + " with " + naming_text(*naming);
  best.convention = convention_text(network.trained_input()) + " (" + convention.reason + ")";
  return best;
}

}  // namespace gramflow
