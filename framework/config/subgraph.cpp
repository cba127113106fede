#include "framework/config/subgraph.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "framework/base/text.h"
#include "framework/config/checks.h"
#include "framework/config/pipeline_file.h"
#include "framework/config/scales.h"

// What can be said of a subgraph from its declaration alone: its keys, its names, and that everything it
// declares is used.

namespace gramflow {
namespace {

constexpr std::size_t most_names = 100;  // of inputs, of parameters, of outputs
const std::vector<std::string> subgraph_keys = {"summary", "inputs", "parameters", "outputs", "nodes"};

/// "result" of "result.canvas".
std::string_view node_part(std::string_view reference) { return reference.substr(0, reference.find('.')); }

template <class Visit>
void for_each_text(const Value& value, const Visit& visit) {
  if (const Value::Scalar* scalar = value.scalar()) {
    visit(scalar->text);
  } else if (const Value::List* items = value.list()) {
    for (const ValuePtr& item : *items) for_each_text(*item, visit);
  } else if (const Value::Map* entries = value.map()) {
    for (const Entry& entry : *entries) for_each_text(*entry.value, visit);
  }
}

class SubgraphReader {
 public:
  SubgraphReader(const Entry& entry, Diagnostics& diagnostics) : entry_(entry), diagnostics_(diagnostics) {
    subgraph_.name = entry.key;
    subgraph_.name_span = entry.key_span;
  }

  Subgraph run() {
    check_id(subgraph_.name, subgraph_.name_span, "a subgraph", diagnostics_);
    if (entry_.value->map() == nullptr) {
      report_type(*entry_.value, "a subgraph", "a map with 'inputs', 'parameters', 'outputs' and 'nodes'",
                  diagnostics_);
      return std::move(subgraph_);
    }
    check_keys(*entry_.value->map(), subgraph_keys, "in a subgraph", diagnostics_);
    read_nodes();
    read_inputs();
    check_defaults();
    read_parameters();
    read_outputs();
    check_uses();
    return std::move(subgraph_);
  }

 private:
  std::string in_this() const { return fmt::format("the subgraph {}", quote(subgraph_.name)); }

  void read_nodes() {
    const Entry* nodes = entry_.value->find("nodes");
    if (nodes == nullptr) {
      diagnostics_.error("bad-subgraph", subgraph_.name_span, fmt::format("{} has no 'nodes'", in_this()))
          .suggest("add 'nodes:' with the nodes it consists of");
    } else if (nodes->value->map() != nullptr) {
      subgraph_.nodes = *nodes->value->map();
    } else {
      report_type(*nodes->value, "'nodes'", "a map of ids and nodes", diagnostics_);
    }
  }

  void add_name(std::vector<SubgraphParameter>& names, const std::string& name, const Span& span,
                ValuePtr value) {
    if (!is_variable_name(name)) {
      diagnostics_.error(
          "bad-name", span,
          fmt::format("{} cannot be a name here; letters, digits and '_' can, with a letter first",
                      quote(name)));
      return;
    }
    if (name == "type" || name == scales_key) {
      diagnostics_.error(
          "bad-name", span,
          fmt::format("{} has a meaning of its own in a node; another name was expected", quote(name)));
      return;
    }
    for (const std::vector<SubgraphParameter>* others : {&subgraph_.inputs, &subgraph_.parameters}) {
      for (const SubgraphParameter& other : *others) {
        if (other.name != name) continue;
        diagnostics_.error("duplicate-key", span, fmt::format("{} declares {} twice", in_this(), quote(name)))
            .note("first declared here", other.span);
        return;
      }
    }
    for (const Entry& node : subgraph_.nodes) {
      if (node.key != name || &names != &subgraph_.inputs) continue;
      diagnostics_
          .error("duplicate-key", span,
                 fmt::format("{} is an input and a node in {}", quote(name), in_this()))
          .note("the node", node.key_span)
          .suggest("rename one of them");
      return;
    }
    if (names.size() >= most_names) {
      if (!std::exchange(too_many_, true))
        diagnostics_.error("bad-subgraph", span,
                           fmt::format("{} declares more than {} names of a kind", in_this(), most_names));
      return;
    }
    names.push_back({name, span, std::move(value)});
  }

  void read_inputs() {
    const Entry* inputs = entry_.value->find("inputs");
    if (inputs == nullptr || inputs->value->is_null()) return;
    if (const Value::Map* map = inputs->value->map()) {
      for (const Entry& input : *map) read_input_with_default(input);
      return;
    }
    const Value::List* items = inputs->value->list();
    if (items == nullptr) {
      report_type(*inputs->value, "'inputs'", "a list of names, or a map of names and defaults", diagnostics_)
          .suggest("write 'inputs: [content, style]'");
      return;
    }
    for (const ValuePtr& item : *items) {
      if (const Value::Scalar* name = item->scalar()) {
        add_name(subgraph_.inputs, name->text, item->span, nullptr);
      } else {
        report_type(*item, "an input", "a name", diagnostics_);
      }
    }
  }

  /// The default is a node inside, or another input.
  void read_input_with_default(const Entry& input) {
    if (!input.value->is_null() && input.value->scalar() == nullptr) {
      report_type(*input.value, fmt::format("the default of the input {}", quote(input.key)),
                  "the name of a node inside of the subgraph, or of another input", diagnostics_);
      return;
    }
    add_name(subgraph_.inputs, input.key, input.key_span, input.value->is_null() ? nullptr : input.value);
  }

  void check_defaults() {
    std::vector<std::string> names;
    for (const SubgraphParameter& input : subgraph_.inputs)
      if (input.value == nullptr) names.push_back(input.name);
    for (const Entry& node : subgraph_.nodes) names.push_back(node.key);
    for (SubgraphParameter& input : subgraph_.inputs) {
      if (input.value == nullptr) continue;
      const std::string node(node_part(input.value->scalar()->text));
      if (std::find(names.begin(), names.end(), node) != names.end()) continue;
      diagnostics_
          .error("unknown-node", input.value->span,
                 fmt::format("there is no node {} in {}, nor an input without a default", quote(node),
                             in_this()))
          .suggest(did_you_mean(node, names));
      input.value = broken_value(input.span);
    }
  }

  void read_parameters() {
    const Entry* parameters = entry_.value->find("parameters");
    if (parameters == nullptr || parameters->value->is_null()) return;
    if (parameters->value->map() == nullptr) {
      report_type(*parameters->value, "'parameters'", "a map of names and defaults", diagnostics_)
          .suggest("write 'parameters: {weight: 1}'; 'weight:' alone has no default");
      return;
    }
    for (const Entry& parameter : *parameters->value->map())
      add_name(subgraph_.parameters, parameter.key, parameter.key_span,
               parameter.value->is_null() ? nullptr : parameter.value);
  }

  void read_outputs() {
    const Entry* outputs = entry_.value->find("outputs");
    if (outputs == nullptr || outputs->value->is_null()) return;
    if (outputs->value->map() == nullptr) {
      subgraph_.outputs_known = false;
      report_type(*outputs->value, "'outputs'", "a map of names and the nodes they come from", diagnostics_)
          .suggest("write 'outputs: {image: picture}'");
      return;
    }
    std::vector<std::string> names;
    for (const SubgraphParameter& input : subgraph_.inputs) names.push_back(input.name);
    for (const Entry& node : subgraph_.nodes) names.push_back(node.key);
    if (outputs->value->map()->size() > most_names) {
      diagnostics_.error("bad-subgraph", outputs->key_span,
                         fmt::format("{} declares more than {} names of a kind", in_this(), most_names));
      return;
    }
    for (const Entry& output : *outputs->value->map()) {
      const Value::Scalar* text = output.value->scalar();
      if (text == nullptr) {
        subgraph_.outputs_known = false;
        report_type(*output.value, fmt::format("the output {}", quote(output.key)),
                    "the name of a node inside of the subgraph", diagnostics_);
        continue;
      }
      if (!check_id(output.key, output.key_span, "an output", diagnostics_)) {
        subgraph_.outputs_known = false;
        continue;
      }
      const std::string node(node_part(text->text));
      if (std::find(names.begin(), names.end(), node) == names.end()) {
        subgraph_.outputs_known = false;
        diagnostics_
            .error("unknown-node", output.value->span,
                   fmt::format("there is no node {} in {}", quote(node), in_this()))
            .suggest(did_you_mean(node, names));
        continue;
      }
      subgraph_.outputs.push_back(output);
    }
  }

  void check_uses() {
    std::vector<bool> input_used(subgraph_.inputs.size());
    std::vector<bool> parameter_used(subgraph_.parameters.size());
    const auto see = [&](const std::string& text) {
      for (std::size_t i = 0; i < subgraph_.inputs.size(); ++i)
        if (node_part(text) == subgraph_.inputs[i].name) input_used[i] = true;
      if (text.find('$') == std::string::npos) return;
      const std::vector<std::string> names = mentioned_variables(text);
      for (std::size_t i = 0; i < subgraph_.parameters.size(); ++i)
        if (std::find(names.begin(), names.end(), subgraph_.parameters[i].name) != names.end())
          parameter_used[i] = true;
    };
    for (const Entry& node : subgraph_.nodes) for_each_text(*node.value, see);
    for (const Entry& output : subgraph_.outputs) for_each_text(*output.value, see);
    for (const SubgraphParameter& input : subgraph_.inputs)
      if (input.value != nullptr) for_each_text(*input.value, see);
    for (std::size_t i = 0; i < input_used.size(); ++i) {
      if (input_used[i]) continue;
      diagnostics_
          .error("unused-input", subgraph_.inputs[i].span,
                 fmt::format("no node of {} uses the input {}", in_this(), quote(subgraph_.inputs[i].name)))
          .suggest("remove it, or write its name where a node takes a picture");
    }
    for (std::size_t i = 0; i < parameter_used.size(); ++i) {
      if (parameter_used[i]) continue;
      const std::string& name = subgraph_.parameters[i].name;
      diagnostics_
          .error("unused-parameter", subgraph_.parameters[i].span,
                 fmt::format("no node of {} uses the parameter {}", in_this(), quote(name)))
          .suggest(fmt::format("remove it, or write ${} where it is meant", name));
    }
  }

  const Entry& entry_;
  Diagnostics& diagnostics_;
  Subgraph subgraph_;
  bool too_many_ = false;
};

}  // namespace

Subgraph read_subgraph(const Entry& entry, Diagnostics& diagnostics) {
  return SubgraphReader(entry, diagnostics).run();
}

}  // namespace gramflow
