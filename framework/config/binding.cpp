#include "framework/config/binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/base/text.h"
#include "framework/config/levels.h"
#include "framework/config/scales.h"

// A use of a subgraph gives values to its parameters and connects its inputs; keys that are neither are
// mistakes, and a key that looks like a missing input is not reported a second time as that.

namespace gramflow {
namespace {

class Binding {
 public:
  Binding(Level& inside, const NodeEntry& use, Scope& global, Substitution& substitution,
          Diagnostics& diagnostics)
      : inside_(inside),
        subgraph_(*inside.subgraph),
        use_(use),
        global_(global),
        substitution_(substitution),
        diagnostics_(diagnostics) {}

  void run() {
    for (const SubgraphParameter& input : subgraph_.inputs) inside_.scope.inputs.push_back(input.name);
    report_unknown_keys();
    for (const SubgraphParameter& input : subgraph_.inputs) connect(input);
    for (const SubgraphParameter& parameter : subgraph_.parameters)
      inside_.scope.variables.emplace(parameter.name, value_of(parameter));
  }

 private:
  const Entry* given(const std::string& name) const {
    const auto found = std::find_if(use_.entries.begin(), use_.entries.end(),
                                    [&](const Entry& entry) { return entry.key == name; });
    return found != use_.entries.end() ? &*found : nullptr;
  }

  Diagnostic& report(const char* code, const Span& place, std::string message) {
    Diagnostic& diagnostic = diagnostics_.error(code, place, std::move(message));
    diagnostic.notes = use_.notes;
    return diagnostic;
  }

  void report_unknown_keys() {
    std::vector<std::string> keys;
    for (const SubgraphParameter& input : subgraph_.inputs) keys.push_back(input.name);
    for (const SubgraphParameter& parameter : subgraph_.parameters) keys.push_back(parameter.name);
    if (std::find(keys.begin(), keys.end(), "start") != keys.end()) keys.push_back(scales_key);
    for (const Entry& entry : use_.entries) {
      if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
      const std::string near = closest_match(entry.key, keys);
      misspelt_.insert(near);
      report("unknown-key", entry.key_span,
             fmt::format("the subgraph {} has no input or parameter {}", quote(subgraph_.name),
                         quote(entry.key)))
          .suggest(!near.empty()  ? fmt::format("did you mean '{}'?", near)
                   : keys.empty() ? "it has none"
                                  : "it has " + join_words(keys))
          .note("the subgraph", subgraph_.name_span);
    }
  }

  void connect(const SubgraphParameter& input) {
    const Entry* entry = given(input.name);
    if (entry != nullptr && (!entry->value->is_null() || entry->value->broken)) {
      inside_.inputs.push_back(*entry);
      return;
    }
    if (misspelt_.contains(input.name) || input.value != nullptr) return;
    report("missing-input", use_.id_span,
           fmt::format("the node {} has no {}, an input of the subgraph {}", quote(use_.id),
                       quote(input.name), quote(subgraph_.name)))
        .suggest(fmt::format("add '{}: ...' with the node it comes from", input.name))
        .note("declared here", input.span);
  }

  Variable value_of(const SubgraphParameter& parameter) {
    Variable variable;
    variable.name_span = parameter.span;
    variable.used = true;
    const Entry* entry = given(parameter.name);
    if (entry != nullptr && (entry->value->broken || !entry->value->is_unset_text())) {
      variable.resolved = entry->value;  // its variables were those of the level above, and are replaced
    } else if (parameter.value != nullptr) {
      variable.resolved = substitution_.apply(parameter.value, global_);
    } else {
      if (!misspelt_.contains(parameter.name)) {
        report("missing-parameter", use_.id_span,
               fmt::format("the node {} has no {}, a parameter of the subgraph {} without a default",
                           quote(use_.id), quote(parameter.name), quote(subgraph_.name)))
            .suggest(fmt::format("add '{}: ...'", parameter.name))
            .note("declared here", parameter.span);
      }
      variable.resolved = broken_value(use_.id_span);
    }
    variable.value = variable.resolved;
    return variable;
  }

  Level& inside_;
  const Subgraph& subgraph_;
  const NodeEntry& use_;
  Scope& global_;
  Substitution& substitution_;
  Diagnostics& diagnostics_;
  std::set<std::string> misspelt_;  ///< names that an unknown key may have been meant for
};

}  // namespace

void bind_use(Level& inside, const NodeEntry& use, Scope& global, Substitution& substitution,
              Diagnostics& diagnostics) {
  Binding(inside, use, global, substitution, diagnostics).run();
}

}  // namespace gramflow
