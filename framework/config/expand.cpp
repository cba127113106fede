#include "framework/config/expand.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_map>

#include "framework/base/text.h"
#include "framework/config/binding.h"
#include "framework/config/checks.h"
#include "framework/config/document.h"
#include "framework/config/files.h"
#include "framework/config/levels.h"
#include "framework/config/lost_lines.h"
#include "framework/config/pipeline_file.h"
#include "framework/config/scales.h"
#include "framework/config/settings.h"
#include "framework/config/unread_settings.h"
#include "framework/config/variables.h"

// Declarations become a tree of levels: every node's variables are replaced and its settings applied, and a
// node whose type is a subgraph opens a level of its own, with its parameters as the nearest scope.
// References are rewritten only when the whole tree stands, since they may go to nodes further down in the
// file. Which subgraphs are being opened is kept as a chain, so that one which contains itself shows the
// ring.

namespace gramflow {
namespace {

constexpr std::size_t most_nodes = 50'000;
constexpr std::size_t deepest_subgraphs = 50;
constexpr int most_suggestions = 100;

class Expander {
 public:
  Expander(const PipelineSource& source, int stage, Diagnostics& diagnostics, const IsPort& is_port)
      : source_(source),
        stage_(stage),
        diagnostics_(diagnostics),
        is_port_(is_port),
        substitution_(diagnostics) {}

  Document run() {
    declarations_ = read_declarations(source_, diagnostics_);
    overrides_ = read_overrides(source_.overrides, source_.file->name(), diagnostics_);

    Document document;
    document.stages = static_cast<int>(declarations_.stages.size());
    document.file_name = source_.file->name();
    document.directory = folder_of(document.file_name);
    document.nodes_span = declarations_.nodes_span;
    document.included = declarations_.included;
    document.untrusted = source_.untrusted;
    if (source_.untrusted) substitution_.forbid_environment();
    for (const auto& [name, subgraph] : declarations_.subgraphs) document.subgraphs.push_back(name);

    Level file;
    file.scope.variables = declarations_.variables;
    global_ = &file.scope;
    std::vector<std::string> names;
    for (const Entry& node : declarations_.nodes) names.push_back(node.key);
    substitution_.set_node_names(std::move(names));
    set_variables();
    index_settings();
    open(file, declarations_.nodes);
    flatten(file, is_port_, document.nodes, diagnostics_);
    if (declarations_.checkpoint != nullptr)
      document.checkpoint =
          read_checkpoint_key(*substitution_.apply(declarations_.checkpoint, *global_), diagnostics_);

    check_settings();
    check_unused_subgraphs();
    check_unused_variables();
    if (stage_ == 0) check_unread_settings(document);
    if (declarations_.nodes.empty() && !diagnostics_.has_errors()) report_no_nodes();
    return document;
  }

 private:
  void report_no_nodes() {
    if (declarations_.subgraphs.empty())
      diagnostics_.error("no-nodes", declarations_.nodes_span, "this pipeline has no nodes")
          .suggest("add 'nodes:' with at least a Load and a Save");
    else
      diagnostics_
          .error("only-subgraphs", declarations_.nodes_span,
                 "this file only defines subgraphs, there is nothing to run")
          .suggest("a pipeline uses them after 'include: " +
                   std::filesystem::path(source_.file->name()).filename().string() + "'");
  }

  std::vector<Setting>* current_stage() {
    const auto index = static_cast<std::size_t>(std::max(stage_, 0));
    return index < declarations_.stages.size() ? &declarations_.stages[index] : nullptr;
  }

  void set_variables() {
    const auto put = [&](std::vector<Setting>& settings) {
      for (Setting& setting : settings) {
        const auto found = global_->variables.find(setting.variable);
        if (setting.variable.empty() || setting.value == nullptr || found == global_->variables.end())
          continue;
        found->second.value = setting.value;
        found->second.resolved = nullptr;
      }
    };
    if (std::vector<Setting>* stage = current_stage()) put(*stage);
    put(overrides_);
    for (const std::vector<Setting>& stage : declarations_.stages) check_variable_names(stage);
    check_variable_names(overrides_);
    for (auto& [name, variable] : global_->variables) substitution_.resolve(name, variable, *global_);
  }

  void check_variable_names(const std::vector<Setting>& settings) {
    for (const Setting& setting : settings) {
      if (setting.variable.empty() || global_->variables.contains(setting.variable)) continue;
      Diagnostic& diagnostic =
          diagnostics_.error("unknown-variable", setting.key_span,
                             fmt::format("there is no variable {} to set", quote(setting.variable)));
      if (++suggestions_ > most_suggestions) continue;
      const std::vector<std::string> names = global_->names();
      const std::string near = did_you_mean(setting.variable, names);
      if (!near.empty()) {
        diagnostic.suggest(near);
      } else if (names.empty()) {
        diagnostic.suggest("the pipeline has no vars:; a parameter of a node is set with nodes.ID.PARAMETER");
      } else {
        diagnostic.suggest(names.size() <= 12 ? "known: " + join_words(names)
                                              : "a parameter of a node is set with nodes.ID.PARAMETER");
      }
    }
  }

  void index_settings() {
    const auto index = [&](const std::vector<Setting>& settings) {
      for (const Setting& setting : settings)
        if (!setting.node.empty() && setting.value != nullptr) settings_of_[setting.node].push_back(&setting);
    };
    if (const std::vector<Setting>* stage = current_stage()) index(*stage);
    index(overrides_);
  }

  void open(Level& level, const std::vector<Entry>& nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (++nodes_ > most_nodes) {
        if (nodes_ == most_nodes + 1)
          diagnostics_.error(
              "too-many-values", nodes[i].key_span,
              fmt::format("with its subgraphs opened, this pipeline has more than {} nodes", most_nodes));
        return;
      }
      const std::size_t lost = lost_lines(nodes, i);
      open_node(level, lost == 0 ? nodes[i] : report_lost_lines(nodes[i], nodes[i + 1], diagnostics_));
      i += lost;
    }
  }

  void open_node(Level& level, const Entry& node) {
    check_id(node.key, node.key_span, "a node", diagnostics_);
    const ValuePtr value = substitution_.apply(node.value, level.scope);
    const std::size_t index = level.nodes.size();
    const auto [place, fresh] = level.by_name.emplace(node.key, index);
    if (!fresh) {
      diagnostics_
          .error("duplicate-node", node.key_span, fmt::format("there are two nodes {}", quote(node.key)))
          .note("the other one", level.nodes[place->second].entry.id_span)
          .suggest("rename one of them");
      return;
    }
    LevelNode& opened = level.nodes.emplace_back();
    NodeEntry& entry = opened.entry;
    entry.id = level.prefix + node.key;
    entry.id_span = node.key_span;
    entry.notes = level.notes;
    known_ids_.insert(entry.id);
    // A node with a mistake stays, without a type: others may refer to it, and nothing is to be said about
    // that.
    const Value::Map* body = value->map();
    if (value->broken) return;
    if (body == nullptr) {
      Diagnostic& diagnostic =
          report_type(*value, fmt::format("the node {}", quote(node.key)), "a map with 'type'", diagnostics_);
      diagnostic.suggest(fmt::format("write '{}: {{type: ..., ...}}'", one_line(node.key)));
      return;
    }
    take_type(entry, *value, node.key);
    for (const Entry& item : *body)
      if (item.key != "type") entry.entries.push_back(item);
    apply_settings(entry);
    const auto subgraph = declarations_.subgraphs.find(entry.type);
    if (subgraph != declarations_.subgraphs.end()) {
      open_uses(level, index, node.key, subgraph->second);
    } else if (!entry.type.empty()) {
      refuse_scales(entry, diagnostics_);
    }
  }

  /// One use, or with `scales:` several, the coarsest in the use's place and the use itself last.
  void open_uses(Level& level, std::size_t index, const std::string& name, Subgraph& subgraph) {
    subgraph.used = true;
    const std::string id = level.nodes[index].entry.id;
    std::vector<NodeEntry> uses = uses_by_scale(
        std::move(level.nodes[index].entry), name, subgraph,
        [&](const ValuePtr& value) { return substitution_.apply(value, *global_); }, diagnostics_);
    for (std::size_t i = 0; i < uses.size(); ++i) {
      const std::size_t place = i == 0 ? index : level.nodes.size();
      if (i > 0) level.nodes.emplace_back();
      level.by_name[name + uses[i].id.substr(id.size())] = place;
      level.nodes[place].entry = std::move(uses[i]);
      if (level.nodes[place].entry.id != id) {
        known_ids_.insert(level.nodes[place].entry.id);
        apply_settings(level.nodes[place].entry);
      }
      open_subgraph(level, place, subgraph);
    }
  }

  void take_type(NodeEntry& entry, const Value& value, const std::string& written_id) {
    const Entry* type = value.find("type");
    if (type == nullptr) {
      std::vector<std::string> near;
      for (const Entry& item : *value.map())
        if (closest_match(item.key, std::vector<std::string>{"type"}) == "type") near.push_back(item.key);
      Diagnostic& diagnostic = diagnostics_.error(
          "missing-type", entry.id_span, fmt::format("the node {} has no 'type'", quote(written_id)));
      const bool joined = std::any_of(value.map()->begin(), value.map()->end(),
                                      [](const Entry& item) { return item.key.starts_with("type:"); });
      diagnostic.suggest(joined         ? "put a space behind 'type:'"
                         : near.empty() ? "add 'type: ...'"
                                        : fmt::format("is {} meant to be 'type'?", quote(near[0])));
      add_notes(diagnostic, entry);
      return;
    }
    if (type->value->broken) return;
    entry.type_span = type->value->span;
    const Value::Scalar* text = type->value->scalar();
    if (text == nullptr || text->text.empty()) {
      add_notes(report_type(*type->value, "'type'", "the name of a node type", diagnostics_), entry);
      return;
    }
    entry.type = text->text;
  }

  static void add_notes(Diagnostic& diagnostic, const NodeEntry& entry) {
    diagnostic.notes.insert(diagnostic.notes.end(), entry.notes.begin(), entry.notes.end());
  }

  void apply_settings(NodeEntry& entry) {
    const auto found = settings_of_.find(entry.id);
    if (found == settings_of_.end()) return;
    for (const Setting* setting : found->second)
      put_value(entry.entries, *setting, substitution_.apply(setting->value, *global_), diagnostics_);
  }

  void open_subgraph(Level& level, std::size_t index, Subgraph& subgraph) {
    const NodeEntry use = level.nodes[index].entry;
    auto inside = std::make_unique<Level>();
    inside->parent = &level;
    inside->subgraph = &subgraph;
    inside->prefix = use.id + "/";
    inside->scope.parent = global_;
    inside->scope.subgraph = subgraph.name;
    inside->notes = use.notes;
    inside->notes.push_back(
        {fmt::format("in the subgraph {}, used here", quote(subgraph.name)), use.id_span});
    bind_use(*inside, use, *global_, substitution_, diagnostics_);
    if (!is_ring(subgraph, use)) {
      chain_.push_back({&subgraph, use.type_span});
      open(*inside, subgraph.nodes);
      inside->opened = true;
      chain_.pop_back();
    }
    level.nodes[index].inside = std::move(inside);
  }

  bool is_ring(const Subgraph& subgraph, const NodeEntry& use) {
    const auto first = std::find_if(chain_.begin(), chain_.end(),
                                    [&](const auto& opened) { return opened.first == &subgraph; });
    if (first != chain_.end()) {
      std::string ring;
      for (auto opened = first; opened != chain_.end(); ++opened) ring += opened->first->name + " -> ";
      Diagnostic& diagnostic = diagnostics_.error("subgraph-ring", use.type_span,
                                                  "subgraphs contain each other: " + ring + subgraph.name);
      diagnostic.suggest("a subgraph cannot contain itself")
          .note(fmt::format("{} is declared here", quote(subgraph.name)), subgraph.name_span);
      for (auto opened = first + 1; opened != chain_.end(); ++opened)
        diagnostic.note(fmt::format("{} is used here", quote(opened->first->name)), opened->second);
      return true;
    }
    if (chain_.size() < deepest_subgraphs) return false;
    diagnostics_.error("too-deep", use.type_span,
                       fmt::format("subgraphs are nested more than {} deep", deepest_subgraphs));
    return true;
  }

  void check_settings() {
    const std::vector<std::string> ids(known_ids_.begin(), known_ids_.end());
    const auto check = [&](const std::vector<Setting>& settings) {
      for (const Setting& setting : settings) {
        if (setting.node.empty() || known_ids_.contains(setting.node)) continue;
        Diagnostic& diagnostic =
            diagnostics_.error("unknown-node", setting.key_span,
                               fmt::format("there is no node {} to set a parameter of", quote(setting.node)));
        if (++suggestions_ <= most_suggestions) diagnostic.suggest(did_you_mean(setting.node, ids));
      }
    };
    for (std::size_t i = 0; i < declarations_.stages.size(); ++i) {
      check(declarations_.stages[i]);
      // Variables in the values of all stages must exist, whichever stage is expanded.
      for (const Setting& setting : declarations_.stages[i])
        if (setting.value != nullptr) substitution_.apply(setting.value, *global_);
    }
    check(overrides_);
  }

  /// A subgraph that nobody uses is still read: its variables must exist.
  void check_unused_subgraphs() {
    for (auto& [name, subgraph] : declarations_.subgraphs) {
      if (subgraph.used) continue;
      Scope scope;
      scope.parent = global_;
      scope.subgraph = name;
      for (const SubgraphParameter& input : subgraph.inputs) scope.inputs.push_back(input.name);
      for (const SubgraphParameter& parameter : subgraph.parameters) {
        Variable variable;
        const ValuePtr value = parameter.value != nullptr ? parameter.value : broken_value(parameter.span);
        variable.value = value;
        variable.resolved = substitution_.apply(value, *global_);
        scope.variables.emplace(parameter.name, std::move(variable));
      }
      for (const Entry& node : subgraph.nodes) {
        check_id(node.key, node.key_span, "a node", diagnostics_);
        substitution_.apply(node.value, scope);
      }
    }
  }

  /// A setting may be read in one stage only.
  void check_unread_settings(const Document& first) {
    if (overrides_.empty() || diagnostics_.has_errors()) return;
    std::set<std::string> read;
    add_typed_sources(first, read);
    const auto all_read = [&] {
      return std::all_of(overrides_.begin(), overrides_.end(), [&](const Setting& setting) {
        return read.contains(setting.key_span.file->text());
      });
    };
    for (int stage = 1; stage < first.stages && !all_read(); ++stage) {
      Diagnostics ignored;
      add_typed_sources(Expander(source_, stage, ignored, is_port_).run(), read);
    }
    report_unread_settings(overrides_, read, diagnostics_);
  }

  void check_unused_variables() {
    if (diagnostics_.has_errors()) return;  // what looks unused may be misspelt where it is used
    for (const std::string& name : declarations_.main_variables) {
      const auto found = global_->variables.find(name);
      if (found == global_->variables.end() || found->second.used) continue;
      const bool set = std::any_of(overrides_.begin(), overrides_.end(),
                                   [&](const Setting& setting) { return setting.variable == name; });
      if (set) continue;  // what is set and unread is told there
      diagnostics_
          .warning("unused-variable", found->second.name_span,
                   fmt::format("nothing uses the variable {}", quote(name)))
          .suggest(fmt::format("remove it, or write ${} where it is meant", name));
    }
  }

  const PipelineSource& source_;
  int stage_;
  Diagnostics& diagnostics_;
  const IsPort& is_port_;
  Substitution substitution_;
  Declarations declarations_;
  std::vector<Setting> overrides_;
  Scope* global_ = nullptr;
  std::set<std::string> known_ids_;
  std::unordered_map<std::string, std::vector<const Setting*>>
      settings_of_;  ///< by node, the ones that win last
  int suggestions_ = 0;
  std::vector<std::pair<const Subgraph*, Span>> chain_;  ///< subgraphs that are being opened, and where
  std::size_t nodes_ = 0;
};

}  // namespace

Document expand(const PipelineSource& source, int stage, Diagnostics& diagnostics, const IsPort& is_port) {
  return Expander(source, stage, diagnostics, is_port).run();
}

}  // namespace gramflow
