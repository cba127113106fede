// Every network that may be meant is compared with every set of tensors that may be it. What is complete and
// leaves nothing open is a candidate; one candidate is an answer, several are a question. Networks whose
// weights are the same but for the input are told apart by the convention.
#include "nodes/import/choose_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "framework/base/text.h"
#include "nodes/import/choose_convention.h"
#include "nodes/import/layer_numbers.h"
#include "nodes/networks/convention_text.h"

namespace gramflow {
namespace {

using NetworkPtr = std::shared_ptr<const Network>;

struct Attempt {
  NetworkPtr network;
  NetworkMatch match;
  bool fits() const { return match.problems.empty() && match.objections.empty(); }
};

NetworkPtr named_network(const std::string& name, const NetworkPaths& paths) {
  Diagnostics diagnostics;
  auto network = load_network(name, ".", paths, {}, diagnostics);
  if (!network) throw InvalidPipeline(diagnostics);
  return network;
}

std::vector<NetworkPtr> all_networks(const NetworkPaths& paths) {
  std::vector<NetworkPtr> networks;
  for (const std::string& name : shipped_networks(paths)) {
    Diagnostics ignored;
    if (auto network = load_network(name, ".", paths, {}, ignored)) networks.push_back(std::move(network));
  }
  return networks;
}

std::string naming_text(Naming naming) {
  switch (naming) {
    case Naming::keras:
      return "Keras's layer names (block1_conv1)";
    case Naming::counted:
      return "Keras's counted names (conv2d_1)";
    case Naming::torchvision:
      return "torchvision's names (features.0.weight)";
    case Naming::chain:
      return "names of its own, in the order in which the model applies its convolutions";
    case Naming::own:
      return "plain names (conv1_1.weight)";
  }
  return "";
}

std::string prefix_text(const std::string& prefix) {
  return prefix.empty() ? "no prefix (--prefix \"\")" : "--prefix " + printable(prefix);
}

std::string some_lines(const std::vector<std::string>& lines, std::size_t most) {
  const std::vector<std::string> shown(
      lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(std::min(lines.size(), most)));
  std::string text = fmt::format("  {}", fmt::join(shown, "\n  "));
  if (lines.size() > most) text += fmt::format("\n  and {} more", lines.size() - most);
  return text;
}

class Chooser {
 public:
  Chooser(const ImportOptions& options, const TensorSource& source, const TensorNames& names,
          const Checksums& checksums, const NetworkPaths& paths)
      : options_(options), source_(source), names_(names), checksums_(checksums), paths_(paths) {}

  NetworkChoice run() {
    std::vector<NetworkPtr> candidates = networks();
    if (candidates.empty())
      throw RunError("no network files were found to compare " + options_.file +
                     " with; set GRAMFLOW_PATH to their folder");
    for (const NetworkPtr& network : candidates)
      for (const TensorSet& set : sets_of(*network))
        attempts_.push_back({network, match_network(*network, source_, names_, set)});
    std::vector<const Attempt*> fitting = fitting_attempts();
    if (fitting.empty()) fail();
    fitting = one_set(std::move(fitting));
    return settle(fitting);
  }

 private:
  bool is_asked() const { return !options_.network.empty(); }

  std::vector<NetworkPtr> networks() const {
    if (is_asked()) return {named_network(options_.network, paths_)};
    if (const std::string name = source_.metadata("network"); !name.empty())
      return {named_network(name, paths_)};
    return all_networks(paths_);
  }

  std::vector<TensorSet> sets_of(const Network& network) const {
    std::vector<TensorSet> sets = possible_sets(network, source_, names_);
    if (!options_.prefix) return sets;
    const std::string wanted = clean_name(*options_.prefix);
    const auto same = [&](const std::string& prefix) {
      return prefix == wanted || prefix == wanted + "." || prefix == wanted + "/" ||
             clean_name(prefix + "x") == clean_name(*options_.prefix + (wanted.empty() ? "" : ".") + "x");
    };
    std::erase_if(sets, [&](const TensorSet& set) { return !same(set.prefix); });
    const bool given = std::any_of(network.layers.begin(), network.layers.end(),
                                   [](const NetworkLayer& layer) { return layer.weight_given; });
    if (sets.empty() && given)
      for (const char* end : {"", ".", "/"})
        if (const std::string prefix = wanted + end;
            names_.has_prefix(prefix) &&
            (wanted.empty() || *end != 0 || wanted.find_last_of("./") == wanted.size() - 1))
          sets.push_back({Naming::own, prefix});
    return sets;
  }

  /// Complete ones, each set of tensors once.
  std::vector<const Attempt*> fitting_attempts() const {
    std::vector<const Attempt*> fitting;
    std::set<std::pair<const Network*, std::vector<std::size_t>>> seen;
    for (const Attempt& attempt : attempts_) {
      if (!attempt.fits()) continue;
      std::vector<std::size_t> tensors;
      for (const LayerTensors& layer : attempt.match.layers) tensors.push_back(layer.kernel.weight);
      if (seen.emplace(attempt.network.get(), tensors).second) fitting.push_back(&attempt);
    }
    return fitting;
  }

  std::vector<const Attempt*> one_set(std::vector<const Attempt*> fitting) const {
    // One network twice: what names say and what the model does are not the same.
    for (std::size_t i = 0; i < fitting.size(); ++i)
      for (std::size_t j = i + 1; j < fitting.size(); ++j)
        if (fitting[i]->network == fitting[j]->network &&
            fitting[i]->match.set.prefix == fitting[j]->match.set.prefix)
          throw RunError(
              fmt::format("{}: fits network '{}' in two ways: with {}, and with {}; say which tensors are "
                          "meant with weight: "
                          "in a network file of your own (see docs/networks.md)",
                          options_.file, fitting[i]->network->name, naming_text(fitting[i]->match.set.naming),
                          naming_text(fitting[j]->match.set.naming)));
    std::map<std::string, std::set<std::string>> networks_of;
    for (const Attempt* attempt : fitting)
      networks_of[attempt->match.set.prefix].insert(attempt->network->name);
    if (networks_of.size() == 1) return fitting;
    std::vector<std::string> lines;
    for (const auto& [prefix, names] : networks_of)
      lines.push_back(fmt::format("{} for {}", prefix_text(prefix),
                                  join_words(std::vector<std::string>(names.begin(), names.end()))));
    throw RunError(fmt::format("{}: several sets of its tensors fit; say which one is meant:\n{}",
                               options_.file, some_lines(lines, 12)));
  }

  /// The first convolution's numbers, for the convention; empty when they cannot be had simply.
  std::vector<float> first_kernel(const Attempt& attempt) const {
    const LayerTensors& first = attempt.match.layers.front();
    if (first.layer->in_channels != 3) return {};
    return read_layer(options_.file, source_, first).weights;
  }

  NetworkChoice settle(const std::vector<const Attempt*>& fitting) const {
    // All of one set; their first convolutions are the same tensor unless networks differ in more than this.
    std::map<const Attempt*, ChosenConvention> conventions;
    std::vector<const Attempt*> suiting;
    std::optional<ChosenConvention> convention;
    for (const Attempt* attempt : fitting) {
      convention =
          choose_convention(options_, source_, attempt->match.set, checksums_, first_kernel(*attempt),
                            attempt->match.layers.front().layer->out_channels);
      conventions[attempt] = *convention;
      const InputConvention& trained = attempt->network->trained_input();
      if (!convention->known || *convention->known == trained) suiting.push_back(attempt);
    }
    if (suiting.empty())
      for (const Attempt* attempt : fitting)
        if (exact_change(*conventions[attempt].known, attempt->network->trained_input()))
          suiting.push_back(attempt);
    if (suiting.empty()) fail_convention(*fitting.front(), conventions[fitting.front()]);
    const Attempt& chosen = one_network(suiting);
    const ChosenConvention& its = conventions[&chosen];
    NetworkChoice choice;
    choice.network = chosen.network;
    choice.match = chosen.match;
    const bool mapped = std::any_of(chosen.network->layers.begin(), chosen.network->layers.end(),
                                    [](const NetworkLayer& layer) { return layer.weight_given; });
    choice.format =
        source_.format_text() + " with " +
        (mapped ? "the names that the network's file gives" : naming_text(chosen.match.set.naming));
    choice.set = set_reason(chosen);
    choice.why = is_asked()                             ? "as you said"
                 : !source_.metadata("network").empty() ? "the file says so"
                 : fitting.size() > 1                   ? "the only one that fits and wants this input"
                                                        : "the only one that fits";
    choice.convention = convention_text(chosen.network->trained_input()) + " (" + its.reason;
    if (its.known && *its.known != chosen.network->trained_input()) {
      choice.change_from = its.known;
      choice.convention +=
          ", which is " + convention_text(*its.known) + "; the first convolution was changed for it";
    }
    choice.convention += ")";
    return choice;
  }

  std::string set_reason(const Attempt& chosen) const {
    std::set<std::string> others;
    for (const Attempt& attempt : attempts_) others.insert(attempt.match.set.prefix);
    const std::string& prefix = chosen.match.set.prefix;
    if (others.size() == 1 && prefix.empty()) return "";
    return fmt::format("{} ({})", prefix.empty() ? "none" : printable(prefix),
                       options_.prefix      ? "as you said"
                       : others.size() == 1 ? "the only one"
                                            : fmt::format("the only one of {} that fits", others.size()));
  }

  const Attempt& one_network(const std::vector<const Attempt*>& fitting) const {
    std::map<std::string, const Attempt*> by_weights;
    for (const Attempt* attempt : fitting) {
      const Attempt*& known = by_weights[attempt->network->weights_of];
      if (known == nullptr || attempt->network->name == attempt->network->weights_of) known = attempt;
    }
    if (by_weights.size() == 1) return *by_weights.begin()->second;
    std::vector<std::string> names;
    for (const auto& [name, attempt] : by_weights) names.push_back(attempt->network->name);
    throw RunError(fmt::format("{}: fits more than one network: {}; say which: --network NAME", options_.file,
                               join_words(names)));
  }

  [[noreturn]] void fail_convention(const Attempt& attempt, const ChosenConvention& convention) const {
    std::vector<std::string> fitting;
    for (const auto& other : all_networks(paths_))
      if (other->trained_input() == *convention.known) fitting.push_back(other->name);
    throw RunError(fmt::format(
        "{}: its weights want another input than network '{}' gives\n  the weights: {} ({})\n  the network: "
        "{}\n"
        "  networks with the weights' input: {}\n  if you know better: --convention network",
        options_.file, attempt.network->name, convention_text(*convention.known), convention.reason,
        convention_text(attempt.network->trained_input()), fitting.empty() ? "none" : join_words(fitting)));
  }

  std::string file_lines(std::size_t most) const {
    std::vector<std::string> lines;
    for (const SourceTensor& tensor : source_.tensors()) {
      if (is_bookkeeping(tensor.name)) continue;
      lines.push_back(fmt::format("{} {} [{}]", printable(tensor.name), printable(tensor.type),
                                  fmt::join(tensor.shape, ", ")));
    }
    return lines.empty() ? "  nothing" : some_lines(lines, most);
  }

  /// Nothing fits: what is nearest, and why it does not.
  [[noreturn]] void fail() const {
    if (options_.prefix && attempts_.empty())
      throw RunError(fmt::format(
          "{}: no set of its tensors begins with '{}' and may be {}\nThe file has:\n{}", options_.file,
          printable(*options_.prefix), is_asked() ? options_.network : "a network", file_lines(20)));
    if (attempts_.empty())
      throw RunError(fmt::format(
          "{}: is {}, but its names are of no known kind (features.0.weight, block1_conv1, conv1_1.weight).\n"
          "The file has:\n{}\nA network file of your own can map names: see docs/networks.md",
          options_.file, source_.format_text(), file_lines(40)));
    const auto better = [](const Attempt& a, const Attempt& b) {
      const auto rank = [](const Attempt& attempt) {
        return std::tuple(attempt.match.problems.empty(), attempt.match.layers.size(),
                          -static_cast<std::ptrdiff_t>(attempt.match.problems.size()));
      };
      return rank(a) < rank(b);
    };
    const Attempt& nearest = *std::max_element(attempts_.begin(), attempts_.end(), better);
    const std::string where = nearest.match.set.prefix.empty()
                                  ? ""
                                  : " under the prefix '" + printable(nearest.match.set.prefix) + "'";
    if (nearest.match.problems.empty())
      throw RunError(
          fmt::format("{}: has tensors{} that may change the features of network '{}', and are not "
                      "understood:\n{}",
                      options_.file, where, nearest.network->name, some_lines(nearest.match.objections, 6)));
    if (!is_asked() && source_.metadata("network").empty())
      throw RunError(
          fmt::format("{}: is none of the networks here; nearest is '{}'{}, which differs:\n{}\n"
                      "A network file of your own can say what this is: see docs/networks.md",
                      options_.file, nearest.network->name, where, some_lines(nearest.match.problems, 3)));
    throw RunError(fmt::format("{}: does not fit network '{}'{}:\n{}\nThe file has:\n{}", options_.file,
                               nearest.network->name, where, some_lines(nearest.match.problems, 40),
                               file_lines(60)));
  }

  const ImportOptions& options_;
  const TensorSource& source_;
  const TensorNames& names_;
  const Checksums& checksums_;
  const NetworkPaths& paths_;
  std::vector<Attempt> attempts_;
};

}  // namespace

NetworkChoice choose_network(const ImportOptions& options, const TensorSource& source,
                             const TensorNames& names, const Checksums& checksums,
                             const NetworkPaths& paths) {
  return Chooser(options, source, names, checksums, paths).run();
}

}  // namespace gramflow
